import { startPostgres } from '@leasehold/testkit/postgres'
import type { Service } from './service.js'

export interface RunningPlace {
  /** The database. */
  readonly url: string
  /** Where to listen, as `HOST` and `PORT` say it. */
  readonly host: string
  readonly port: number
}

/** Runs a service until SIGINT or SIGTERM, on the server that DATABASE_URL names, or one of its own that goes with it. */
export async function runOnPostgres(start: (place: RunningPlace) => Promise<Service>): Promise<void> {
  const postgres = await startPostgres()
  const { HOST: host = '127.0.0.1', PORT: port = '3000' } = process.env
  try {
    const service = await start({ url: postgres.url, host, port: Number(port) })
    console.log(`listening on ${service.url}`)
    const signal = await new Promise<string>((resolve) => {
      // Once: who asks a second time does not want to wait.
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
    })
    console.log(`${signal}: stopping`)
    await service.close() // requests finish, then the pool closes
  } finally {
    await postgres.stop()
  }
}
