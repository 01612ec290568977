import { startOnExpress } from '@leasehold/example-express-drizzle'
import { startOnFastify } from '@leasehold/example-fastify-knex'
import { startOnNest } from '@leasehold/example-nestjs-prisma'
import type { StartService } from '@leasehold/example-orders'

/** The example service, on each framework. */
export const frameworks: Readonly<Record<string, StartService>> = {
  Fastify: startOnFastify,
  Express: startOnExpress,
  NestJS: startOnNest,
}
