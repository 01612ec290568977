export type { PrismaAdapterOptions } from './check-adapter-options.js'
export { createPrismaAdapter } from './create-prisma-adapter.js'
export { leasePrisma, type AnyPrismaClient } from './lease-prisma.js'
