import { runService } from '@leasehold/example-orders'
import { openDrizzleStore } from './open-drizzle-store.js'
import { startOnExpress } from './start-on-express.js'

await runService(startOnExpress, openDrizzleStore)
