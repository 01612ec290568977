export { openPrismaStore } from './open-prisma-store.js'
export { startOnNest } from './start-on-nest.js'
