import { once } from 'node:events'
import { type ClientRequest, request, type IncomingMessage } from 'node:http'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ENDINGS, type Ending } from './endings.js'
import { ORMS } from './orms.js'
import { SERVICES, type Service } from './services.js'

const NAME = 'every-orm'

/** Every ORM on every framework, with every way in which a request can end, in the carrier that is in use. */
export function describeJourneys(carrier: string): void {
  const postgres = usePostgres()
  let pool: LeasedPgPool
  let service: Service

  const outside = useClient(postgres, 'create table rows (number int)')
  beforeEach(async () => {
    await outside.query('truncate rows')
    pool = createPgPool({
      connectionString: postgres.url,
      application_name: NAME,
      max: 3,
      leasehold: { closeGraceMs: 20 },
    })
  })
  afterEach(async () => {
    await service.close()
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  describe.each(SERVICES)(`with ${carrier}, on $name`, ({ start }) => {
    describe.each(ORMS)('a request that uses $name', ({ open }) => {
      it.each(ENDINGS)('and $name leaves nothing held and nothing half done', async (ending) => {
        let hasWritten = false
        const handler = ending.handler(await open(pool), () => (hasWritten = true))
        service = await start(pool, handler)

        await sendAndEnd(ending, () => hasWritten)

        await vi.waitFor(() => expect(hasWritten).toBe(true), 5_000)
        await vi.waitFor(
          async () => {
            expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 })
            const { rows } = await outside.query(
              "select state from pg_stat_activity where application_name = $1 and state <> 'idle'",
              [NAME],
            )
            expect(rows).toEqual([])
          },
          { timeout: 10_000 },
        )
        expect((await outside.query('select from rows')).rowCount).toBe(ending.rows)
        expect(pool.snapshot().counts.lateAcquires).toBe(ending.isLate === true ? 1 : 0)
      })
    })
  })

  async function sendAndEnd({ method, hangsUp, status }: Ending, hasWritten: () => boolean): Promise<void> {
    const headers = method === 'POST' ? { 'content-type': 'text/plain', 'content-length': 8 } : {}
    const sent: ClientRequest = request({ port: service.port, path: '/orders/7', method, headers, agent: false })
    sent.on('error', () => {})
    sent.end(method === 'POST' ? 'an order' : undefined)
    if (hangsUp !== 'while it waits') {
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.on('error', () => {}).resume()
      if (status !== undefined) expect(response.statusCode).toBe(status)
      if (hangsUp === undefined) await once(response, 'end')
    }
    if (hangsUp === undefined) return
    await vi.waitFor(() => expect(hasWritten()).toBe(true), 5_000)
    sent.destroy()
  }
}
