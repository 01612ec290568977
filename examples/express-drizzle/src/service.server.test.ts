import { describeNpmStart, describeService } from '@leasehold/example-orders/testing'
import { openDrizzleStore } from './open-drizzle-store.js'
import { startOnExpress } from './start-on-express.js'

describeService('orders on Express and Drizzle', { start: startOnExpress, openStore: openDrizzleStore })

describeNpmStart(new URL('..', import.meta.url))
