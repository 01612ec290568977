import { clsHookedCarrier } from '@leasehold/cls-hooked'
import { useScopeCarrier } from '@leasehold/core'
import { createNamespace } from 'cls-hooked'
import { describeJourneys } from './describe-journeys.js'

// For the whole process: vitest gives each file one of its own.
useScopeCarrier(clsHookedCarrier(createNamespace('my-service')))

describeJourneys('cls-hooked')
