import type { Service, ServiceOptions } from '@leasehold/example-orders'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { OrdersModule } from './orders-module.js'

/** The service, listening. */
export async function startOnNest(options: ServiceOptions): Promise<Service> {
  const { host = '127.0.0.1', port = 0, log = false } = options
  const app = await NestFactory.create(OrdersModule.on(options), new ExpressAdapter(), {
    logger: log ? ['log', 'warn', 'error', 'fatal'] : false,
    abortOnError: false,
  })
  await app.listen(port, host)
  return { url: await app.getUrl(), close: () => app.close() }
}
