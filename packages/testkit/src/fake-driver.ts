import type {
  Driver,
  DriverTransactions,
  ErrorKind,
  LeaseGate,
  LedgerView,
  SessionFact,
  SessionObserver,
  SettingsDifference,
} from '@leasehold/core'
import type { FakeClient } from './fake-client.js'
import { FakeDriverError } from './fake-driver-error.js'
import { fakeTransactions } from './fake-transactions.js'
import { FakeHandle } from './fake-handle.js'
import { FakeSession } from './fake-session.js'
import { FakeSockets } from './fake-sockets.js'
import { Script, type Step } from './script.js'

/** What a driver may offer beyond its six methods. */
export type OptionalMethod =
  | 'lend'
  | 'quiesce'
  | 'cancel'
  | 'interrupt'
  | 'destroy'
  | 'declare'
  | 'hold'
  | 'redact'
  | 'transaction'
  | 'truth'
  | 'isShutdown'
  | 'takesWrites'

export interface FakeDriverOptions {
  /** Optional methods that this driver does not have. Default: it has all. */
  readonly without?: readonly OptionalMethod[]
  /**
   * Whether an aborted signal ends what it was given to. A driver must heed the signal of `connect`; a pool must bear it
   * when one does not. Default true.
   */
  readonly heedsSignals?: boolean
  /** Looked at in each call, to see in which context a pool calls its driver. */
  readonly context?: () => unknown
}

/** One call of a driver's method. */
export interface DriverCall {
  readonly method: keyof Driver<FakeClient>
  /** The session that it was about; of a `connect`, the one it opened, if any yet. */
  readonly client: number | undefined
  /** What `context` told at that moment. */
  readonly context: unknown
}

/**
 * A driver whose every step does what a test tells it (`driver.script`), which counts its own sockets, and which notes
 * whatever a pool must never do with a client (`driver.violations`).
 */
export class FakeDriver implements Driver<FakeClient> {
  readonly name = 'fake'
  readonly script = new Script()
  readonly sockets = new FakeSockets()
  readonly calls: DriverCall[] = []
  /** What a pool did that no pool may do, as sentences: two owners at a time, a dead client lent, and so on. */
  readonly violations: string[] = []
  /** Every session that was ever opened, by its number less one. */
  readonly sessions: FakeSession[] = []
  readonly #heedsSignals: boolean
  readonly #context: () => unknown

  readonly lend?: (client: FakeClient, gate: LeaseGate) => FakeClient
  readonly quiesce?: (client: FakeClient, signal: AbortSignal) => Promise<void>
  readonly cancel?: (client: FakeClient) => Promise<void>
  readonly interrupt?: (client: FakeClient, gate: LeaseGate | undefined, error: Error) => boolean
  readonly destroy?: (client: FakeClient) => void
  readonly declare?: (client: FakeClient, difference: SettingsDifference) => void
  readonly undeclarable: ReadonlyMap<string, string> = new Map([['forbidden', 'the fake driver says so']])
  readonly hold?: (client: FakeClient, alive: boolean) => void
  readonly redact?: (statement: string) => string
  readonly transaction?: DriverTransactions<FakeClient>
  readonly truth?: (
    client: FakeClient,
    names: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly SessionFact[]>
  readonly isShutdown?: (error: unknown) => boolean
  readonly takesWrites?: (client: FakeClient, signal: AbortSignal) => Promise<boolean>
  /** Whether the server has become one that only reads. */
  isReadOnly = false
  /** What was inserted and committed, on whichever session. */
  readonly rows: string[] = []

  constructor(options: FakeDriverOptions = {}) {
    this.#heedsSignals = options.heedsSignals ?? true
    this.#context = options.context ?? (() => undefined)
    const has = (method: OptionalMethod): boolean => !(options.without ?? []).includes(method)
    if (has('lend')) this.lend = (client, gate) => this.#lend(client, gate)
    if (has('quiesce')) this.quiesce = (client, signal) => this.#quiesce(client, signal)
    if (has('cancel')) this.cancel = (client) => this.#cancel(client)
    if (has('interrupt')) this.interrupt = (client, gate, error) => this.#interrupt(client, gate, error)
    if (has('destroy')) this.destroy = (client) => this.#destroy(client)
    if (has('declare')) this.declare = (client, difference) => this.#declare(client, difference)
    if (has('hold')) this.hold = (client, alive) => this.#hold(client, alive)
    if (has('transaction')) this.transaction = fakeTransactions((client) => this.#sessionOf(client).hasCollided)
    if (has('truth')) this.truth = (client) => this.#truth(client)
    if (has('isShutdown')) this.isShutdown = (error) => error instanceof FakeDriverError && error.isShutdown
    if (has('takesWrites')) this.takesWrites = (client) => this.#takesWrites(client)
    if (has('redact')) this.redact = (statement) => statement.replaceAll(/'[^']*'|\d+/g, '?')
  }

  async connect(signal: AbortSignal): Promise<FakeClient> {
    const call = this.calls.length
    this.#note('connect', undefined)
    const socket = {}
    this.sockets.move(socket, 'opening')
    try {
      await this.#play('connect', signal)
    } catch (error) {
      this.sockets.remove(socket)
      throw error
    }
    // One and the same socket: it must not be counted twice for a moment.
    this.sockets.remove(socket)
    const session = new FakeSession(this.sessions.length + 1, this.script, this.sockets, this)
    this.sessions.push(session)
    this.calls[call] = { method: 'connect', client: session.id, context: this.calls[call]?.context }
    return session
  }

  async check(client: FakeClient, signal?: AbortSignal): Promise<void> {
    await this.#using('check', client, (session) => session.talk('select', () => this.#play('check', signal)))
  }

  watch(client: FakeClient, observer: SessionObserver): () => void {
    this.#note('watch', client.id)
    return this.#sessionOf(client).observe(observer)
  }

  async reset(client: FakeClient, ledger: LedgerView, signal?: AbortSignal): Promise<void> {
    await this.#using('reset', client, async (session) => {
      await session.talk('rollback', () => this.#play('reset', signal))
      session.leftovers.undo(ledger.pins)
    })
  }

  async close(client: FakeClient): Promise<void> {
    const session = this.#sessionOf(client)
    if (this.calls.some((call) => call.method === 'close' && call.client === session.id)) {
      this.violations.push(`session ${session.id} was closed twice`)
    }
    await this.#using('close', client, async () => {
      if (!session.isAlive) return
      this.sockets.move(session, 'closing')
      await this.script.play('close')
      session.end(new FakeDriverError('the session was closed', 'fatal'))
    })
  }

  classify(error: unknown): ErrorKind {
    return error instanceof FakeDriverError ? error.kind : 'fatal'
  }

  /** Ends a session from the server's side. */
  kill(client: FakeClient, error = new FakeDriverError('the session was killed', 'fatal')): void {
    this.#sessionOf(client).end(error)
  }

  /** How often a method was called. */
  countOf(method: keyof Driver<FakeClient>): number {
    return this.calls.filter((call) => call.method === method).length
  }

  #lend(client: FakeClient, gate: LeaseGate): FakeClient {
    this.#note('lend', client.id)
    const session = this.#sessionOf(client)
    // Leases that share a session have one owner, and it is in whatever state that has brought it into.
    if (session.lentTo?.open === true && session.lentTo.owner === gate.owner) return new FakeHandle(session, gate)
    if (session.lentTo?.open === true) this.violations.push(`session ${session.id} was lent to two owners at a time`)
    if (session.inUseFor !== undefined)
      this.violations.push(`session ${session.id} was lent during its ${session.inUseFor}`)
    if (!session.isAlive) this.violations.push(`session ${session.id} was lent though it was dead`)
    if (!session.isQuiet) this.violations.push(`session ${session.id} was lent while a statement ran`)
    if (session.transaction !== 'idle')
      this.violations.push(`session ${session.id} was lent with a transaction left in it`)
    session.lentTo = gate
    return new FakeHandle(session, gate)
  }

  async #quiesce(client: FakeClient, signal: AbortSignal): Promise<void> {
    await this.#using('quiesce', client, async (session) => {
      await this.#play('quiesce', signal)
      session.cancelRunning()
      await session.whenReady()
      if (!session.isAlive) throw new FakeDriverError('the session is dead', 'fatal')
    })
  }

  async #cancel(client: FakeClient): Promise<void> {
    this.#note('cancel', client.id)
    await this.script.play('cancel')
    this.#sessionOf(client).cancelRunning()
  }

  #interrupt(client: FakeClient, gate: LeaseGate | undefined, error: Error): boolean {
    this.#note('interrupt', client.id)
    return this.#sessionOf(client).interrupt(gate, error)
  }

  async #takesWrites(client: FakeClient): Promise<boolean> {
    await this.#using('takesWrites', client, (session) => session.talk('select', async () => {}))
    return !this.isReadOnly
  }

  async #truth(client: FakeClient): Promise<readonly SessionFact[]> {
    const session = this.#sessionOf(client)
    await session.talk('select', async () => {})
    const settings = [...session.leftovers.names, ...session.settings.inForce.keys()]
    const facts: SessionFact[] = settings.map((name) => ({ kind: 'setting', name, value: undefined }))
    if (session.transaction === 'idle') return facts
    return [...facts, { kind: 'transaction', name: 'transaction', value: session.transaction }]
  }

  #destroy(client: FakeClient): void {
    this.#note('destroy', client.id)
    this.#sessionOf(client).end(new FakeDriverError('the socket was destroyed', 'fatal'))
  }

  #declare(client: FakeClient, difference: SettingsDifference): void {
    this.#note('declare', client.id)
    this.#sessionOf(client).settings.declare(difference)
  }

  #hold(client: FakeClient, alive: boolean): void {
    this.#note('hold', client.id)
    this.#sessionOf(client).keepsAlive = alive
  }

  /** What the pool does with a session of its own accord, which nobody else may hold meanwhile. */
  async #using(
    method: 'check' | 'reset' | 'close' | 'quiesce' | 'takesWrites',
    client: FakeClient,
    work: (session: FakeSession) => Promise<void>,
  ): Promise<void> {
    this.#note(method, client.id)
    const session = this.#sessionOf(client)
    if (session.lentTo?.open === true) this.violations.push(`session ${session.id} had its ${method} while it was lent`)
    if (session.inUseFor !== undefined && method !== 'close') {
      this.violations.push(`session ${session.id} had its ${method} during its ${session.inUseFor}`)
    }
    session.inUseFor = method
    try {
      await work(session)
    } finally {
      if (session.inUseFor === method) session.inUseFor = undefined
    }
  }

  #play(step: Step, signal: AbortSignal | undefined): Promise<void> {
    return this.script.play(step, this.#heedsSignals ? signal : undefined)
  }

  #note(method: keyof Driver<FakeClient>, client: number | undefined): void {
    this.calls.push({ method, client, context: this.#context() })
  }

  #sessionOf(client: FakeClient): FakeSession {
    const session = this.sessions[client.id - 1]
    if (session === undefined) throw new Error(`this driver has no session ${client.id}`)
    return session
  }
}
