import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { findLeaseholdError } from '@leasehold/core'
import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { freePort, usePostgres } from '@leasehold/testkit/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const database = usePostgres()
let silent: Server
let deadPort: number

beforeAll(async () => {
  silent = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  deadPort = await freePort()
})

afterAll(() => void silent.close())

interface BadServer {
  readonly name: string
  readonly options: () => LeasedPgPoolOptions
  /** What the core pool says. */
  readonly kind: string
  readonly message: RegExp
  /** What a caller of the facade gets: the driver's own error. */
  readonly code: string | undefined
}

const password = 'not-the-password-4711'

const BAD_SERVERS: readonly BadServer[] = [
  {
    name: 'a wrong password',
    options: () => {
      const url = new URL(database.url)
      url.password = password
      return { connectionString: url.href }
    },
    kind: 'denied',
    message: /password authentication failed.*trying again will not help/s,
    code: '28P01',
  },
  {
    name: 'a missing database',
    options: () => ({ connectionString: new URL('/nowhere', database.url).href }),
    kind: 'denied',
    message: /database "nowhere" does not exist/,
    code: '3D000',
  },
  {
    name: 'a dead host',
    options: () => ({ host: '127.0.0.1', port: deadPort, user: 'nobody' }),
    kind: 'transient',
    message: /ECONNREFUSED.*Check host, port/s,
    code: 'ECONNREFUSED',
  },
  {
    name: 'a server that accepts and never answers',
    options: () => ({
      host: '127.0.0.1',
      port: (silent.address() as AddressInfo).port,
      user: 'nobody',
      connectionTimeoutMillis: 300,
    }),
    kind: 'transient',
    message: /did not answer.*connectTimeoutMs/s,
    code: undefined,
  },
]

describe.each(BAD_SERVERS)('$name', ({ options, kind, message, code }) => {
  const withPool = async (work: (pool: LeasedPgPool) => Promise<void>): Promise<void> => {
    const pool = createPgPool(options())
    await work(pool)
    await expect.poll(() => pool.snapshot().connections.total).toBe(0)
    expect(pool.snapshot()).toMatchObject({ waiting: { count: 0 }, connections: { lent: 0, opening: 0, idle: 0 } })
    await pool.end()
  }
  const errorOf = (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => expect.unreachable('it was not refused'),
      (error: unknown) => error as Error,
    )

  it('is one typed error for a caller of the core pool, without the password, and nothing is left', () =>
    withPool(async (pool) => {
      const error = await errorOf(pool.acquire())
      expect(error).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED', phase: 'connect', kind, statusCode: 503 })
      expect(error.message).toMatch(message)
      expect(JSON.stringify(error) + error.stack + JSON.stringify(pool.snapshot())).not.toContain(password)
    }))

  it('is the driver’s own error for a caller of the facade', () =>
    withPool(async (pool) => {
      const error = (await errorOf(pool.query('select 1'))) as Error & { code?: string }
      expect(error.code).toBe(code)
      // A binding still finds that it is to answer 503.
      expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED', statusCode: 503 })
    }))

  it('is told once to each of many callers, within their deadline', () =>
    withPool(async (pool) => {
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => pool.acquire({ timeoutMs: 1_000 })))
      for (const outcome of outcomes) {
        const said = outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'granted'
        // After five of them nobody dials any more.
        expect(said).toMatch(/^LEASEHOLD_(CONNECT_FAILED|ACQUIRE_TIMEOUT|CIRCUIT_OPEN)$/)
      }
    }))
})

describe('options that cannot be meant', () => {
  it('are all named at once, with what was received and the nearest known name', () => {
    const options = {
      max: -1,
      idleTimeoutMillis: 'soon',
      leasehold: { maxLifetimeMS: 5, mode: 'sometimes', acquireTimeoutMs: -3 },
    } as unknown as LeasedPgPoolOptions
    const refused = (): unknown => createPgPool(options)
    expect(refused).toThrow(/max: .*idleTimeoutMillis: /s)
  })
})
