import type { Driver, LedgerView, SessionObserver, TransactionStatus } from '@leasehold/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OptionalMethod } from '../fake-driver.js'
import { TestGate } from './test-gate.js'

/** What a driver's tests must be able to say and see. */
export interface DriverContractHarness<Client> {
  readonly driver: Driver<Client>
  /** The same driver, before a server that refuses every connection: a port that nobody listens on. */
  readonly refused: Driver<Client>
  /** The same driver, before a server that takes the connection and never answers. */
  readonly silent: Driver<Client>
  readonly statements: {
    /** Is answered at once. */
    readonly ok: string
    /** Is refused by the server. */
    readonly failing: string
    readonly begin: string
    /** Runs for at least ten seconds if nobody ends it. */
    readonly endless: string
    /** A statement with literals in it, and the literals. */
    readonly withLiterals: { readonly text: string; readonly literals: readonly string[] }
  }
  query(client: Client, statement: string): Promise<unknown>
  /** Ends the session from the server's side. */
  kill(client: Client): Promise<void> | void
  /** How many connections, half-open ones included, the other side has of all three drivers. */
  sockets(): Promise<number> | number
  /** Takes down what `make` put up. */
  stop?(): Promise<void> | void
}

const KINDS = ['query', 'transient', 'saturated', 'read-only', 'denied', 'fatal']

const OPTIONAL_METHODS = [
  'lend',
  'quiesce',
  'cancel',
  'destroy',
  'hold',
  'redact',
] as const satisfies readonly OptionalMethod[]

/**
 * What every driver must do for a pool to stand on it.
 *
 * @param without the optional methods that this driver does not have.
 */
export function describeDriverContract<Client>(
  name: string,
  make: () => Promise<DriverContractHarness<Client>> | DriverContractHarness<Client>,
  without: readonly OptionalMethod[] = [],
): void {
  describe(`${name}, as a driver`, () => {
    let harness: DriverContractHarness<Client>
    let driver: Driver<Client>
    const never = new AbortController().signal

    beforeEach(async () => {
      harness = await make()
      driver = harness.driver
    })

    afterEach(async () => {
      await harness.stop?.()
    })

    async function nothingIsOpen(): Promise<void> {
      await vi.waitFor(async () => expect(await harness.sockets()).toBe(0), { timeout: 5_000, interval: 5 })
    }

    /** Starts a statement that will be ended; how is looked at where it matters. */
    function startEndless(client: Client): Promise<unknown> {
      const running = harness.query(client, harness.statements.endless)
      running.catch(() => {})
      return running
    }

    /** Only for a driver that is said to have the method; that it has no other is looked at as well. */
    function offered<Method extends OptionalMethod>(
      method: Method,
      promise: string,
      test: (driver: Driver<Client> & Required<Pick<Driver<Client>, Method>>) => Promise<void> | void,
    ): void {
      if (!without.includes(method)) it(promise, () => test(driver as Parameters<typeof test>[0]))
    }

    describe('opening', () => {
      it('gives a session that answers, and closing it leaves nothing open', async () => {
        const client = await driver.connect(never)

        await driver.check(client)
        await harness.query(client, harness.statements.ok)
        await driver.close(client)

        await nothingIsOpen()
      })

      it('rejects when the server refuses, with an error that means no query', async () => {
        const error: unknown = await harness.refused.connect(never).then(
          () => undefined,
          (reason: unknown) => reason,
        )

        expect(error).toBeInstanceOf(Error)
        expect(['transient', 'saturated', 'denied', 'fatal']).toContain(driver.classify(error))
        await nothingIsOpen()
      })

      it('rejects soon when its signal aborts before the server has answered, and leaves no socket', async () => {
        const controller = new AbortController()
        const connecting = harness.silent.connect(controller.signal)
        const outcome = expect(connecting).rejects.toBeInstanceOf(Error)
        await vi.waitFor(async () => expect(await harness.sockets()).toBe(1), { timeout: 5_000, interval: 5 })

        controller.abort(new Error('given up'))

        await outcome
        await nothingIsOpen()
      })

      it('rejects when its signal has aborted already, and leaves no socket', async () => {
        await expect(driver.connect(AbortSignal.abort())).rejects.toBeInstanceOf(Error)
        await nothingIsOpen()
      })
    })

    describe('watching', () => {
      it('tells that a statement runs, and that all is quiet before its caller knows', async () => {
        const { client, told } = await openWatched(driver)

        const running = harness.query(client, harness.statements.ok).then(() => [...told])
        const toldByThen = await running

        expect(toldByThen[0]).toMatch(/^busy/)
        expect(toldByThen.at(-1)).toBe('quiet idle')
        await driver.close(client)
      })

      it('tells the text of a statement, or none', async () => {
        const { client, statements } = await openWatched(driver)

        await harness.query(client, harness.statements.ok)

        expect([harness.statements.ok, undefined]).toContain(statements[0])
        await driver.close(client)
      })

      it('tells before the caller of a refused statement knows that it is over, and then that all is quiet', async () => {
        const { client, told } = await openWatched(driver)

        const toldByThen = await harness.query(client, harness.statements.failing).then(
          () => ['it was not refused'],
          () => [...told],
        )

        expect(['settling', 'quiet idle']).toContain(toldByThen.at(-1))
        await vi.waitFor(() => expect(told.at(-1)).toBe('quiet idle'))
        await driver.close(client)
      })

      it('tells that a transaction is open, and that it has failed', async () => {
        const { client, told } = await openWatched(driver)

        await harness.query(client, harness.statements.begin)
        expect(told.at(-1)).toBe('quiet open')

        await expect(harness.query(client, harness.statements.failing)).rejects.toBeInstanceOf(Error)
        await vi.waitFor(() => expect(told.at(-1)).toBe('quiet failed'))
        await driver.close(client)
      })

      it('tells that an idle session was lost, and the process goes on', async () => {
        const { client, told } = await openWatched(driver)

        await harness.kill(client)

        await vi.waitFor(() => expect(told).toContain('lost'), { timeout: 5_000, interval: 5 })
        await driver.close(client)
        await nothingIsOpen()
      })

      it('tells that a session was lost before the caller of the running statement knows', async () => {
        const { client, told } = await openWatched(driver)
        const toldByThen = harness.query(client, harness.statements.endless).then(
          () => ['it was answered'],
          () => [...told],
        )

        await harness.kill(client)

        const last = (await toldByThen).at(-1)
        expect(['lost', 'settling']).toContain(last)
        await vi.waitFor(() => expect(told).toContain('lost'), { timeout: 5_000, interval: 5 })
        await driver.close(client)
        await nothingIsOpen()
      })

      it('tells nothing more once it was stopped', async () => {
        const { client, told, stop } = await openWatched(driver)

        stop()
        await harness.query(client, harness.statements.ok)
        await driver.close(client)

        expect(told).toEqual([])
      })
    })

    describe('a lost session', () => {
      it('fails its check and its reset', async () => {
        const { client, told, ledger } = await openWatched(driver)
        await harness.kill(client)
        await vi.waitFor(() => expect(told).toContain('lost'), { timeout: 5_000, interval: 5 })

        await expect(driver.check(client)).rejects.toBeInstanceOf(Error)
        await expect(driver.reset(client, ledger())).rejects.toBeInstanceOf(Error)
        await driver.close(client)
      })
    })

    describe('resetting', () => {
      it.each(['open', 'failed'] as const)('ends a transaction that was left %s', async (left) => {
        const { client, told, ledger } = await openWatched(driver)
        await harness.query(client, harness.statements.begin)
        if (left === 'failed') await harness.query(client, harness.statements.failing).catch(() => {})
        await vi.waitFor(() => expect(told.at(-1)).toBe(`quiet ${left}`))

        await driver.reset(client, ledger())

        expect(told.at(-1)).toBe('quiet idle')
        await harness.query(client, harness.statements.ok)
        expect(told.at(-1)).toBe('quiet idle')
        await driver.close(client)
      })
    })

    describe('classifying', () => {
      it('takes the error of a statement as its own, which costs no connection', async () => {
        const client = await driver.connect(never)
        const error: unknown = await harness
          .query(client, harness.statements.failing)
          .catch((reason: unknown) => reason)

        expect(driver.classify(error)).toBe('query')
        await driver.check(client)
        await driver.close(client)
      })

      it.each([undefined, null, 'text', 5, {}, new Error('of somebody else')])(
        'has a word for everything: %o',
        (error) => {
          expect(KINDS).toContain(driver.classify(error))
        },
      )
    })

    describe('what a driver may offer besides', () => {
      it('is there, but for what the driver is said to be without', () => {
        expect(OPTIONAL_METHODS.filter((method) => driver[method] === undefined)).toEqual([...without])
      })

      offered('quiesce', 'quiesce ends a running statement, and the next one gets its own answer', async (driver) => {
        const { client, told } = await openWatched(driver)
        const running = startEndless(client)

        await driver.quiesce(client, never)

        await expect(running).rejects.toBeInstanceOf(Error)
        expect(told.at(-1)).toBe('quiet idle')
        await harness.query(client, harness.statements.ok)
        await driver.close(client)
        await nothingIsOpen()
      })

      offered('quiesce', 'quiesce leaves a quiet session as it is', async (driver) => {
        const { client } = await openWatched(driver)

        await driver.quiesce(client, never)
        await harness.query(client, harness.statements.ok)
        await driver.close(client)
      })

      offered('quiesce', 'quiesce rejects when the session dies meanwhile', async (driver) => {
        const { client, told } = await openWatched(driver)
        startEndless(client).catch(() => {})
        await harness.kill(client)
        await vi.waitFor(() => expect(told).toContain('lost'), { timeout: 5_000, interval: 5 })

        await expect(driver.quiesce(client, never)).rejects.toBeInstanceOf(Error)
        await driver.close(client)
      })

      offered('cancel', 'cancel ends a running statement and keeps the session', async (driver) => {
        const { client, told } = await openWatched(driver)
        const running = startEndless(client)

        await driver.cancel(client)

        await expect(running).rejects.toBeInstanceOf(Error)
        await vi.waitFor(() => expect(told.at(-1)).toBe('quiet idle'), { timeout: 5_000, interval: 5 })
        await harness.query(client, harness.statements.ok)
        await driver.close(client)
        await nothingIsOpen()
      })

      offered(
        'destroy',
        'destroy takes the socket away at once, also under a running statement, and may come twice',
        async (driver) => {
          const { client } = await openWatched(driver)
          const running = startEndless(client)

          driver.destroy(client)
          driver.destroy(client)

          await expect(running).rejects.toBeInstanceOf(Error)
          await nothingIsOpen()
        },
      )

      offered('hold', 'hold can be switched either way on a living session', async (driver) => {
        const client = await driver.connect(never)

        driver.hold(client, false)
        driver.hold(client, true)
        await harness.query(client, harness.statements.ok)
        await driver.close(client)
      })

      offered('redact', 'redact takes every literal out of a statement', (driver) => {
        const { text, literals } = harness.statements.withLiterals

        const redacted = driver.redact(text)

        for (const literal of literals) expect(redacted).not.toContain(literal)
      })

      offered(
        'lend',
        'a fenced handle works on its session while the lease lasts, and asks the gate before anything is sent',
        async (driver) => {
          const { client, told } = await openWatched(driver)
          const gate = new TestGate()

          await harness.query(driver.lend(client, gate), harness.statements.ok)

          expect(gate.asked[0]).toMatch(/^pass/)
          expect(told.at(-1)).toBe('quiet idle')
          await driver.close(client)
        },
      )

      offered('lend', 'a fenced handle sends nothing once the lease is over, and says so', async (driver) => {
        const { client, told } = await openWatched(driver)
        const gate = new TestGate()
        const handle = driver.lend(client, gate)

        gate.end()

        await expect(attempt(() => harness.query(handle, harness.statements.ok))).rejects.toMatchObject({
          code: 'LEASEHOLD_LEASE_RELEASED',
        })
        expect(told).toEqual([])
        await driver.close(client)
      })

      offered(
        'lend',
        'a fenced handle is another one for each lease, and an old one stays shut while the new one works',
        async (driver) => {
          const { client } = await openWatched(driver)
          const [first, second] = [new TestGate(), new TestGate()]
          const old = driver.lend(client, first)
          first.end()
          const current = driver.lend(client, second)

          expect(current).not.toBe(old)
          await harness.query(current, harness.statements.ok)
          await expect(attempt(() => harness.query(old, harness.statements.ok))).rejects.toMatchObject({
            code: 'LEASEHOLD_LEASE_RELEASED',
          })
          await driver.close(client)
        },
      )

      offered('lend', 'a fenced handle refuses a transaction in statement mode before it is sent', async (driver) => {
        const { client, told } = await openWatched(driver)
        const handle = driver.lend(client, new TestGate('statement'))

        await expect(attempt(() => harness.query(handle, harness.statements.begin))).rejects.toMatchObject({
          code: 'LEASEHOLD_MODE_VIOLATION',
        })

        expect(told).toEqual([])
        await harness.query(handle, harness.statements.ok)
        await driver.close(client)
      })
    })
  })
}

interface Watched<Client> {
  readonly client: Client
  readonly told: string[]
  readonly statements: Array<string | undefined>
  readonly ledger: () => LedgerView
  readonly stop: () => void
}

/** A session with an observer that writes down what it is told. */
async function openWatched<Client>(driver: Driver<Client>): Promise<Watched<Client>> {
  const client = await driver.connect(new AbortController().signal)
  const told: string[] = []
  const statements: Array<string | undefined> = []
  let transaction: TransactionStatus = 'idle'
  let isQuiet = true
  let lostBy: Error | undefined
  const observer: SessionObserver = {
    busy(statement) {
      isQuiet = false
      statements.push(statement)
      told.push(`busy`)
    },
    settling() {
      told.push('settling')
    },
    quiet(status) {
      isQuiet = true
      transaction = status
      told.push(`quiet ${status}`)
    },
    lost(error) {
      lostBy = error
      // It may come more than once, and what follows it does not count.
      if (!told.includes('lost')) told.push('lost')
    },
  }
  const stop = driver.watch(client, observer)
  return { client, told, statements, stop, ledger: () => ({ transaction, isQuiet, lostBy, pins: [], baseline: [] }) }
}

/** A refusal may be thrown or rejected with. */
async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  return work()
}
