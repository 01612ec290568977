import { describeNpmStart, describeService } from '@leasehold/example-orders/testing'

// The client that the store imports is generated, and has to be there first.
await import('../generate-client.mjs')
const { openPrismaStore } = await import('./open-prisma-store.js')
const { startOnNest } = await import('./start-on-nest.js')

describeService('orders on NestJS and Prisma', { start: startOnNest, openStore: openPrismaStore })

describeNpmStart(new URL('..', import.meta.url))
