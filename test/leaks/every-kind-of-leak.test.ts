import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type LeakKind, runOutsideContext } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { collectGarbage } from '@leasehold/testkit'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Handler, type Service, SERVICES } from '../every-orm/services.js'
import { LEAKY_ORMS, type LeakyOrm } from './leaky-orms.js'

const postgres = usePostgres()
let pool: LeasedPgPool
let service: Service
let leaks: Array<{ readonly kind: LeakKind; readonly label: string; readonly reclaimed: boolean }>

const outside = useClient(postgres, 'create table rows (number int)')
beforeEach(async () => {
  await outside.query('truncate rows')
  pool = createPgPool({
    connectionString: postgres.url,
    max: 3,
    leasehold: { leakAfterMs: 80, idleInTransactionMs: 80 },
  })
  leaks = []
  pool.leases.on('leak', ({ kind, label, reclaimed }) => leaks.push({ kind, label, reclaimed }))
})
afterEach(async () => {
  await service.close()
  expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
})

interface Leak {
  readonly name: string
  readonly kinds: readonly LeakKind[]
  readonly label: string
  readonly reclaimed: boolean
  /** How many rows are there afterwards. */
  readonly rows: 0 | 1
  readonly handler: (orm: LeakyOrm) => Handler
}

const forAWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150))
const ROUTE = 'GET /orders/:id'

const LEAKS: readonly Leak[] = [
  {
    name: 'held for too long, idle in its transaction,',
    kinds: ['overdue', 'idle-in-transaction'],
    label: ROUTE,
    reclaimed: false,
    rows: 1,
    handler: (orm) => async () => {
      await orm.transaction(forAWhile)
      return 'done'
    },
  },
  {
    name: 'left over',
    kinds: ['left-over'],
    label: ROUTE,
    reclaimed: true,
    rows: 0,
    handler: (orm) => async () => {
      await orm.abandon()
      return 'done'
    },
  },
  {
    name: 'forgotten outside of any scope',
    kinds: ['forgotten'],
    label: 'outside any scope',
    reclaimed: true,
    rows: 0,
    handler: (orm) => async () => {
      await runOutsideContext(() => orm.abandon())
      return 'done'
    },
  },
]

describe.each(SERVICES)('on $name', ({ start }) => {
  describe.each(LEAKY_ORMS)('with $name', ({ open, endsWhatIsForgotten }) => {
    const found = LEAKS.filter(({ kinds }) => !(endsWhatIsForgotten && kinds.includes('forgotten')))
    it.each(found)('a lease that is $name is found, and comes back', async (leak) => {
      const { kinds, label, reclaimed, rows, handler } = leak
      service = await start(pool, handler(await open(pool)))
      const sent = request({ port: service.port, path: '/orders/7', agent: false }).end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      expect(response.statusCode).toBe(200)

      await vi.waitFor(
        async () => {
          if (kinds.includes('forgotten')) await collectGarbage()
          for (const kind of kinds) expect(leaks).toContainEqual({ kind, label, reclaimed })
          expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 })
        },
        { timeout: 8_000, interval: 50 },
      )
      expect((await outside.query('select from rows')).rowCount).toBe(rows)
      for (const kind of kinds) {
        expect(pool.snapshot().leakSites).toContainEqual(expect.objectContaining({ kind, label, count: 1 }))
      }
    })
  })
})
