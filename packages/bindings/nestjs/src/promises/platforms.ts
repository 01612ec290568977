import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { INestApplication, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'

interface Settings {
  readonly idleTimeoutMs?: number | undefined
  /** Called before the service is initialised, as `main.ts` would. */
  readonly prepare?: (app: INestApplication) => void
  /** Whether requests under way are waited for at the end. Default false. */
  readonly drain?: boolean
}

/** Starts a service on a port of its own. */
async function start(app: INestApplication, { prepare }: Settings): Promise<INestApplication> {
  prepare?.(app)
  await app.listen(0)
  return app
}

/** Every test of HTTP runs on both. */
export const platforms = [
  {
    name: 'Express' as const,
    async create(service: Type, settings: Settings = {}): Promise<INestApplication> {
      const app = await NestFactory.create<NestExpressApplication>(service, new ExpressAdapter(), options(settings))
      app.useBodyParser('text')
      if (settings.idleTimeoutMs !== undefined) app.getHttpServer().setTimeout(settings.idleTimeoutMs)
      return start(app, settings)
    },
  },
  {
    name: 'Fastify' as const,
    async create(service: Type, settings: Settings = {}): Promise<INestApplication> {
      const adapter = new FastifyAdapter({
        connectionTimeout: settings.idleTimeoutMs ?? 0,
        forceCloseConnections: settings.drain !== true,
      })
      return start(await NestFactory.create(service, adapter, options(settings)), settings)
    },
  },
] as const

export function portOf(app: INestApplication): number {
  return ((app.getHttpServer() as Server).address() as AddressInfo).port
}

function options({ drain }: Settings) {
  return { logger: false, abortOnError: false, forceCloseConnections: drain !== true } as const
}
