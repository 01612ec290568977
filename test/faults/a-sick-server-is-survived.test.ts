import { SERVER_TROUBLES } from '@leasehold/testkit/faults'
import { testTroubles } from './test-troubles.js'

testTroubles(SERVER_TROUBLES, { max_connections: '14', superuser_reserved_connections: '1' })
