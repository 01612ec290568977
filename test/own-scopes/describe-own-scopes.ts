import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { currentScope } from '@leasehold/core'
import { leasehold } from '@leasehold/fastify'
import { createPgPool } from '@leasehold/pg'
import { Gate } from '@leasehold/testkit'
import { usePostgres } from '@leasehold/testkit/postgres'
import fastify, { type FastifyInstance } from 'fastify'
import { Client } from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ORMS } from './orms.js'
import { ACCOUNTS, FIRST_ACCOUNT, TABLES } from './tables.js'
import { openWitnessedPool } from './witness.js'

/**
 * Each statement is sent on a lease of the request that asked for it, whoever else asks in the same tick and whoever
 * opened the socket: in the carrier that is in use.
 */
export function describeOwnScopes(carrier: string): void {
  const database = usePostgres()
  let app: FastifyInstance

  beforeAll(async () => {
    const client = new Client(database.url)
    await client.connect()
    await client.query(TABLES)
    await client.end()
  })
  beforeEach(() => {
    app = fastify({ forceCloseConnections: true })
  })
  afterEach(() => app.close())

  /** The answer to one request, on a socket of its own. */
  async function ask(path: string): Promise<unknown> {
    const { port } = app.server.address() as AddressInfo
    const sent = request({ host: '127.0.0.1', port, path, agent: false })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk)
    return JSON.parse(body)
  }

  const listen = (): Promise<string> => app.listen({ host: '127.0.0.1', port: 0, backlog: 2 * ACCOUNTS })
  /** A scope is named by its route: so each account has one. */
  const routeOf = (account: number): string => `/accounts/${account}`
  const here = (): string | undefined => currentScope()?.label

  describe.each(ORMS)(`with ${carrier}, $name`, ({ open }) => {
    it('reads through the own session of each of two tenants whose requests resume in one tick', async () => {
      const pool = createPgPool({ connectionString: database.url, max: 2 })
      const orm = await open(pool)
      const gate = new Gate()
      let waiting = 0
      await app.register(leasehold, { pool, mode: 'session' })
      for (const tenant of ['a', 'b']) {
        app.get(`/tenants/${tenant}`, async () => {
          await orm.setTenant(tenant)
          waiting += 1
          await gate.promise
          const lone = await Promise.all([orm.tenant(), orm.tenant()])
          const inTransaction = await orm.transaction(async (db) => [await db.tenant(), here()])
          return [...lone, ...inTransaction, here()]
        })
      }
      await listen()

      const both = Promise.all([ask('/tenants/a'), ask('/tenants/b')])
      await vi.waitFor(() => expect(waiting).toBe(2), 5_000)
      gate.open()

      expect(await both).toEqual(
        ['a', 'b'].map((tenant) => [tenant, tenant, tenant, `GET /tenants/${tenant}`, `GET /tenants/${tenant}`]),
      )
    })

    // On a busy machine it takes a while to have them all wait.
    it('sends each look-up of a thousand requests behind one shared promise in the name of its own', async () => {
      const { pool, seen } = openWitnessedPool(database.url)
      const orm = await open(pool)
      const shared = new Gate()
      let waiting = 0
      await app.register(leasehold, { pool })
      const accounts = Array.from({ length: ACCOUNTS }, (_, at) => FIRST_ACCOUNT + at)
      for (const account of accounts) {
        app.get(routeOf(account), async () => {
          waiting += 1
          await shared.promise
          return [await orm.ownerOf(account), here()]
        })
      }
      await listen()

      const all = Promise.all(accounts.map((account) => ask(routeOf(account))))
      await vi.waitFor(() => expect(waiting).toBe(ACCOUNTS), 10_000)
      shared.open()

      const answers = await all
      const wrong = accounts.flatMap((account, at) => {
        const [owner, label] = answers[at] as unknown[]
        return owner === `owner of ${account}` && label === `GET ${routeOf(account)}` ? [] : [answers[at]]
      })
      expect(wrong).toEqual([])
      expect(seen.filter(({ account, label }) => label !== `GET ${routeOf(account)}`)).toEqual([])
      expect(seen.map(({ account }) => account).toSorted((one, other) => one - other)).toEqual(accounts)
    }, 60_000)

    it('calls back, and sends what is asked from there, in the name of who asked and not of who opened the socket', async () => {
      const { pool, seen } = openWitnessedPool(database.url)
      const orm = await open(pool)
      const ways = Object.entries(orm.callbacks)
      await app.register(leasehold, { pool })
      const [opener, ...others] = [FIRST_ACCOUNT, FIRST_ACCOUNT + 1, FIRST_ACCOUNT + 2, FIRST_ACCOUNT + 3] as const
      app.get(routeOf(opener), async () => [await orm.ownerOf(opener), here()])
      for (const account of others) {
        app.get(routeOf(account), async () => {
          const told: Record<string, unknown> = {}
          for (const [way, run] of ways) {
            let asked: Promise<unknown> | undefined
            await run(account, () => {
              const label = here()
              asked ??= orm.ownerOf(account).then((owner) => [label, owner, here()])
            })
            told[way] = await asked
          }
          return told
        })
      }
      await listen()

      expect(await ask(routeOf(opener))).toEqual([`owner of ${opener}`, `GET ${routeOf(opener)}`])
      const told = await Promise.all(others.map((account) => ask(routeOf(account))))

      expect(pool.snapshot().counts.opened).toBe(1)
      const own = (account: number): unknown[] => [
        `GET ${routeOf(account)}`,
        `owner of ${account}`,
        `GET ${routeOf(account)}`,
      ]
      expect(told).toEqual(others.map((account) => Object.fromEntries(ways.map(([way]) => [way, own(account)]))))
      expect(seen).toHaveLength(1 + others.length * ways.length * 2)
      for (const { account, label } of seen) expect(label).toBe(`GET ${routeOf(account)}`)
    })
  })
}
