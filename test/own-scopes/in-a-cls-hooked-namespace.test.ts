import { clsHookedCarrier } from '@leasehold/cls-hooked'
import { useScopeCarrier } from '@leasehold/core'
import { createNamespace } from 'cls-hooked'
import { describeOwnScopes } from './describe-own-scopes.js'

// For the whole process: vitest gives each file one of its own.
useScopeCarrier(clsHookedCarrier(createNamespace('my-service')))

describeOwnScopes('cls-hooked')
