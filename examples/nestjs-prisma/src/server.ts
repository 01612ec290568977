import { runService } from '@leasehold/example-orders'
import { openPrismaStore } from './open-prisma-store.js'
import { startOnNest } from './start-on-nest.js'

await runService(startOnNest, openPrismaStore)
