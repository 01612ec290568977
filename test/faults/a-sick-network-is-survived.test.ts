import { NETWORK_TROUBLES } from '@leasehold/testkit/faults'
import { testTroubles } from './test-troubles.js'

testTroubles(NETWORK_TROUBLES)
