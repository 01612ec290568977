import { type PoolOptions, type PoolSnapshot, runInScope } from '@leasehold/core'
import { afterEach, describe, expect, it, vi } from 'vitest'

/** What the tests of a facade must be able to do with it, whatever its driver calls these things. */
export interface FacadeContractHarness<Client> {
  /** The core pool under the facade. */
  readonly leases: { snapshot(): PoolSnapshot }
  acquire(): Promise<Client>
  release(client: Client): void
  /** Gives back so that the connection is closed: `release(true)`, `destroy()`. */
  discard(client: Client): void
  /** A statement that is answered at once, on the client or on the pool itself. */
  query(on: Client | 'pool'): Promise<unknown>
  /** A statement that the server refuses. */
  failingQuery(on: Client | 'pool'): Promise<unknown>
  /** A statement that runs for at least ten seconds if nobody ends it. */
  endlessQuery(on: Client): Promise<unknown>
  begin(client: Client): Promise<unknown>
  /** Whether the session is inside a transaction, as the server sees it. */
  isInTransaction(client: Client): Promise<boolean>
  /** Which physical session it is, as the server sees it. */
  sessionOf(client: Client): Promise<unknown>
  /** Ends that session from the server's side. */
  kill(session: unknown): Promise<void> | void
  close(): Promise<void>
  /** Takes down what `make` put up besides the facade. */
  stop?(): Promise<void> | void
}

/** What every pool facade must do with the leases under it. `make` is given the options of the pool. */
export function describeFacadeContract<Client>(
  name: string,
  make: (options: PoolOptions) => Promise<FacadeContractHarness<Client>> | FacadeContractHarness<Client>,
): void {
  describe(`${name}, as a facade`, () => {
    let harness: FacadeContractHarness<Client> | undefined

    afterEach(async () => {
      await harness?.close().catch(() => {})
      await harness?.stop?.()
      harness = undefined
    })

    async function open(options: PoolOptions = {}): Promise<FacadeContractHarness<Client>> {
      harness = await make({ max: 1, ...options })
      return harness
    }

    async function allBack({ leases }: FacadeContractHarness<Client>): Promise<void> {
      await vi.waitFor(
        () => {
          const { connections, waiting } = leases.snapshot()
          const underWay = connections.lent + connections.recycling + connections.opening + connections.checking
          expect({ underWay, waiting: waiting.count }).toEqual({ underWay: 0, waiting: 0 })
        },
        { timeout: 5_000, interval: 5 },
      )
    }

    it('opens nothing before it is asked', async () => {
      const pool = await open()

      expect(pool.leases.snapshot().connections.total).toBe(0)
    })

    it('gives a connection back after each query of its own, and uses it again', async () => {
      const pool = await open({ max: 5 })

      await pool.query('pool')
      await pool.query('pool')

      await allBack(pool)
      expect(pool.leases.snapshot().counts).toMatchObject({ granted: 2, opened: 1 })
    })

    it('keeps the connection of a query of its own that the server refuses', async () => {
      const pool = await open()
      await expect(pool.failingQuery('pool')).rejects.toBeInstanceOf(Error)

      await pool.query('pool')

      await allBack(pool)
      expect(pool.leases.snapshot().counts).toMatchObject({ granted: 2, opened: 1 })
    })

    it('counts a connection as lent until it is released', async () => {
      const pool = await open()
      const client = await pool.acquire()
      expect(pool.leases.snapshot().connections).toMatchObject({ lent: 1, idle: 0 })

      pool.release(client)

      expect(pool.leases.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
    })

    it('serves who waits in the order in which they came', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const served: string[] = []
      const waiting = ['second', 'third', 'fourth'].map(async (who) => {
        const client = await pool.acquire()
        served.push(who)
        pool.release(client)
      })

      pool.release(first)
      await Promise.all(waiting)

      expect(served).toEqual(['second', 'third', 'fourth'])
    })

    it('takes a second release as said already, and the next owner keeps its connection', async () => {
      const pool = await open()
      const first = await pool.acquire()
      pool.release(first)
      const second = await pool.acquire()

      pool.release(first)

      expect(pool.leases.snapshot().connections.lent).toBe(1)
      await pool.query(second)
      pool.release(second)
      await allBack(pool)
    })

    it('refuses a client that is used after its release, and sends nothing', async () => {
      const pool = await open()
      const first = await pool.acquire()
      pool.release(first)
      const second = await pool.acquire()

      await expect(attempt(() => pool.query(first))).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })

      await pool.query(second)
      pool.release(second)
      await allBack(pool)
    })

    it('closes a connection that is discarded, and the next owner gets another', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const session = await pool.sessionOf(first)
      pool.discard(first)

      const second = await pool.acquire()

      expect(await pool.sessionOf(second)).not.toEqual(session)
      pool.release(second)
      await allBack(pool)
      expect(pool.leases.snapshot().connections.total).toBe(1)
    })

    it.each(['open', 'failed'] as const)(
      'gives the next owner nothing of a transaction that was left %s',
      async (left) => {
        const pool = await open()
        const first = await pool.acquire()
        const session = await pool.sessionOf(first)
        await pool.begin(first)
        if (left === 'failed') await expect(pool.failingQuery(first)).rejects.toBeInstanceOf(Error)
        pool.release(first)

        const second = await pool.acquire()

        expect(await pool.isInTransaction(second)).toBe(false)
        expect(await pool.sessionOf(second)).toEqual(session)
        pool.release(second)
        await allBack(pool)
        expect(pool.leases.snapshot().counts.reset[`${left} transaction`]).toBe(1)
      },
    )

    it('gives the next owner nothing of a statement that was left running', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const running = pool.endlessQuery(first)
      const ended = expect(running).rejects.toBeInstanceOf(Error)
      pool.release(first)

      const second = await pool.acquire()

      await ended
      await pool.query(second)
      pool.release(second)
      await allBack(pool)
      expect(pool.leases.snapshot().counts.reset['running statement']).toBe(1)
    })

    it('tells a caller that waited in vain who holds the connection', async () => {
      const pool = await open({ acquireTimeoutMs: 250 })
      const first = await pool.acquire()

      const error: unknown = await pool.acquire().catch((reason: unknown) => reason)

      expect(error).toMatchObject({
        code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
        holders: [expect.objectContaining({ label: expect.any(String) })],
      })
      pool.release(first)
      await allBack(pool)
    })

    it('lends another connection when an idle one was killed', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const session = await pool.sessionOf(first)
      pool.release(first)

      await pool.kill(session)
      await vi.waitFor(() => expect(pool.leases.snapshot().counts.closed.lost).toBe(1), { timeout: 5_000, interval: 5 })

      await pool.query('pool')
      await allBack(pool)
    })

    it('fails the statement of a connection that is killed under its owner, and then lends another', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const session = await pool.sessionOf(first)
      const failed = expect(pool.endlessQuery(first)).rejects.toBeInstanceOf(Error)

      await pool.kill(session)
      await failed
      pool.release(first)

      const second = await pool.acquire()
      expect(await pool.sessionOf(second)).not.toEqual(session)
      pool.release(second)
      await allBack(pool)
    })

    it('lends another connection to who waits while its owner’s was killed', async () => {
      const pool = await open()
      const first = await pool.acquire()
      const session = await pool.sessionOf(first)
      const waiting = pool.acquire()
      await pool.kill(session)
      await pool.query(first).catch(() => {})

      pool.release(first)

      const second = await waiting
      expect(await pool.sessionOf(second)).not.toEqual(session)
      pool.release(second)
      await allBack(pool)
    })

    it('borrows nothing in a scope before its first query, and takes everything back when it closes', async () => {
      const pool = await open({ max: 2 })

      await runInScope({ label: 'a request' }, async () => {
        expect(pool.leases.snapshot().connections.total).toBe(0)
        await pool.acquire()
        await pool.acquire()
        expect(pool.leases.snapshot().holders.map((holder) => holder.label)).toEqual(['a request', 'a request'])
      })

      await allBack(pool)
      expect(pool.leases.snapshot().counts.leaks['left-over']).toBe(2)
    })

    it('refuses a client whose scope has closed', async () => {
      const pool = await open()
      const kept = await runInScope({ label: 'a request' }, async () => ({ client: await pool.acquire() }))

      await expect(attempt(() => pool.query(kept.client))).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
      await allBack(pool)
    })

    it('runs all queries of a scope in session mode on one session, and in turn on others', async () => {
      const pool = await open({ max: 2, mode: 'session' })

      await runInScope({ label: 'a request' }, async () => {
        const [first, second] = [await pool.acquire(), await pool.acquire()]
        expect(await pool.sessionOf(first)).toEqual(await pool.sessionOf(second))
        pool.release(first)
        await pool.query(second)
        await pool.query('pool')
      })

      await allBack(pool)
      expect(pool.leases.snapshot().counts.opened).toBe(1)
    })

    it('refuses a transaction in statement mode', async () => {
      const pool = await open({ mode: 'statement' })
      const client = await pool.acquire()

      await expect(attempt(() => pool.begin(client))).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })

      await pool.query(client)
      pool.release(client)
      await allBack(pool)
    })

    it('closes every connection when it is closed, and lends no more', async () => {
      const pool = await open({ max: 2 })
      const client = await pool.acquire()
      await pool.query('pool')
      const closing = pool.close()
      pool.release(client)

      await closing

      expect(pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
      await expect(attempt(() => pool.acquire())).rejects.toBeInstanceOf(Error)
      await expect(attempt(() => pool.query('pool'))).rejects.toBeInstanceOf(Error)
    })
  })
}

/** A refusal may be thrown or rejected with. */
async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  return work()
}
