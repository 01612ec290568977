import type { LeaseGate, SessionObserver, Site, SettingsDifference, TransactionStatus } from '@leasehold/core'
import type { FakeClient } from './fake-client.js'
import { FakeDriverError } from './fake-driver-error.js'
import { FakeLeftovers } from './fake-leftovers.js'
import { FakeRows } from './fake-rows.js'
import { FakeSettings } from './fake-settings.js'
import type { FakeSockets } from './fake-sockets.js'
import type { Script } from './script.js'

interface RunningStatement {
  readonly text: string
  /** What goes with it: made if it succeeds, and to go again if not. */
  readonly difference: SettingsDifference | undefined
  /** Where it was sent from, for one that may leave something. */
  readonly site: Site | undefined
  /** The lease whose it is, where a handle sent it. */
  readonly gate: LeaseGate | undefined
  readonly resolve: (answer: string) => void
  readonly reject: (error: Error) => void
}

/** The value of a declared setting that the fake server refuses. */
const REFUSED = 'refused'

/** What begins or ends a transaction, or a part of one. */
const CONTROLS: ReadonlySet<string> = new Set(['begin', 'commit', 'rollback', 'savepoint', 'release', 'rollback-to'])

/** One session of the fake server, and what the wire tells of it. */
export class FakeSession implements FakeClient {
  readonly id: number
  readonly #script: Script
  readonly #socketGone: () => void
  readonly #running = new Set<RunningStatement>()
  readonly #whenReady: Array<() => void> = []
  #observer: SessionObserver | undefined
  #transaction: TransactionStatus = 'idle'
  #owed = 0
  #endedBy: Error | undefined
  /** The lease that has it; a driver without `lend` is never told. */
  lentTo: LeaseGate | undefined
  /** What the driver is doing with it on behalf of the pool. */
  inUseFor: string | undefined
  keepsAlive = true
  /** Whether a statement was refused as a deadlock since the last `begin`. */
  hasCollided = false
  /** Those that owners have declared. */
  readonly settings = new FakeSettings()
  /** What owners have left without declaring it. */
  readonly leftovers = new FakeLeftovers()
  readonly #rows: FakeRows
  readonly #isReadOnly: () => boolean

  constructor(
    id: number,
    script: Script,
    sockets: FakeSockets,
    server: { readonly rows: string[]; readonly isReadOnly: boolean },
  ) {
    this.id = id
    this.#rows = new FakeRows(server.rows)
    this.#isReadOnly = () => server.isReadOnly
    this.#script = script
    this.#socketGone = () => sockets.remove(this)
    sockets.move(this, 'open')
  }

  get transaction(): TransactionStatus {
    return this.#transaction
  }

  get isQuiet(): boolean {
    return this.#owed === 0
  }

  get isAlive(): boolean {
    return this.#endedBy === undefined
  }

  observe(observer: SessionObserver): () => void {
    this.#observer = observer
    return () => {
      if (this.#observer === observer) this.#observer = undefined
    }
  }

  query(text: string, gate?: LeaseGate, site?: Site): Promise<string> {
    if (this.#endedBy !== undefined) return Promise.reject(this.#endedBy)
    this.#owed += 1
    this.#observer?.busy(text)
    return new Promise<string>((resolve, reject) => {
      const statement: RunningStatement = { text, difference: this.settings.goWith(text), site, gate, resolve, reject }
      this.#running.add(statement)
      this.#script.play('query').then(
        () => this.#answer(statement),
        (error: Error) => this.#refuse(statement, error),
      )
    })
  }

  /** Ends what runs, as a cancel does. */
  cancelRunning(): void {
    for (const statement of this.#running)
      this.#refuse(statement, new FakeDriverError('the statement was cancelled', 'query'))
  }

  /** Fails at once what runs for `gate`, or all that runs, and is ready again when the cancel is done. False when that is nothing. */
  interrupt(gate: LeaseGate | undefined, error: Error): boolean {
    let isCancelled = false
    for (const statement of this.#running) {
      const [word = ''] = statement.text.split(' ')
      if ((gate !== undefined && statement.gate !== gate) || CONTROLS.has(word)) continue
      this.#refuse(statement, error, 'cancel')
      isCancelled = true
    }
    return isCancelled
  }

  /** Waits until the server is ready again. */
  whenReady(): Promise<void> {
    return this.isQuiet ? Promise.resolve() : new Promise((resolve) => this.#whenReady.push(resolve))
  }

  /** What the driver itself says to the server on behalf of the pool. */
  async talk(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#endedBy !== undefined) throw this.#endedBy
    this.#owed += 1
    this.#observer?.busy(what)
    try {
      await work()
      if (what === 'rollback') {
        this.#transaction = 'idle'
        this.#rows.end(false)
        this.leftovers.end(false)
      }
    } finally {
      this.#ready()
    }
    if (!this.isAlive) throw new FakeDriverError('the session is dead', 'fatal')
  }

  /** The session is over: by a kill, a close, or a destroyed socket. */
  end(error: Error): void {
    if (this.#endedBy !== undefined) return
    this.#endedBy = error
    this.#rows.end(false)
    this.#owed = 0
    this.#socketGone()
    // The wire tells first, then whoever waits for an answer.
    this.#observer?.lost(error)
    for (const statement of this.#running) statement.reject(error)
    this.#running.clear()
    for (const resolve of this.#whenReady.splice(0)) resolve()
  }

  #answer(statement: RunningStatement): void {
    if (!this.#running.has(statement)) return
    const [word = '', name = ''] = statement.text.split(' ')
    if (word === 'fail') return this.#refuse(statement, new FakeDriverError('the statement failed', 'query'))
    if (word === 'collide') {
      this.hasCollided = true
      return this.#refuse(statement, new FakeDriverError('a deadlock', 'query'))
    }
    if (statement.difference?.set.some(([, value]) => value === REFUSED) === true) {
      return this.#refuse(statement, new FakeDriverError('no such value', 'query'))
    }
    if (word === 'insert' && this.#isReadOnly()) {
      return this.#refuse(statement, new FakeDriverError('the server only reads', 'read-only'))
    }
    const hasFailed = this.#transaction === 'failed'
    if (hasFailed && !['rollback', 'commit', 'rollback-to'].includes(word)) {
      return this.#refuse(statement, new FakeDriverError('the transaction has failed', 'query'))
    }
    if (!this.#changeRows(word, name)) return this.#refuse(statement, new FakeDriverError('no such savepoint', 'query'))
    this.#running.delete(statement)
    this.#made(statement.difference)
    this.#carry(statement)
    if (word === 'begin') this.hasCollided = false
    if (word === 'begin' || word === 'rollback-to') this.#transaction = 'open'
    if (word === 'commit' || word === 'rollback') this.#transaction = 'idle'
    this.#ready()
    const said = hasFailed && word === 'commit' ? 'rollback' : statement.text
    statement.resolve(`${said} on ${this.id}`)
    return undefined
  }

  /** False when there is no such savepoint. */
  #changeRows(word: string, name: string): boolean {
    if (word === 'insert') this.#rows.insert(name)
    if (word === 'begin') this.#rows.begin()
    if (word === 'commit') this.#rows.end(this.#transaction === 'open')
    if (word === 'rollback') this.#rows.end(false)
    if (word === 'savepoint') this.#rows.savepoint(name)
    if (word === 'release') return this.#rows.release(name)
    return word !== 'rollback-to' || this.#rows.rollbackTo(name)
  }

  /**
   * `set x` leaves x on the session and `reset x` takes it away, unless the transaction is rolled back; `guess` leaves
   * nobody knows what.
   */
  #carry({ text, site }: RunningStatement): void {
    const [word = '', name = ''] = text.split(' ')
    const origin = { statement: text, site, isRepeatable: true, isOfBaseline: false }
    if (word === 'begin') {
      this.leftovers.begin()
      this.#observer?.book?.({ is: 'begin', origin })
    }
    if (word === 'commit' || word === 'rollback') {
      this.leftovers.end(word === 'commit' && this.#transaction === 'open')
      this.#observer?.book?.({ is: word })
    }
    if (word === 'guess') this.#observer?.doubt?.()
    if (word !== 'set' && word !== 'reset') return
    if (word === 'set') this.leftovers.set(name)
    else this.leftovers.clear(name)
    const effect = { does: word === 'set' ? 'set' : 'clear', kind: 'setting', name, isTransactional: true } as const
    this.#observer?.book?.({ is: 'effect', effect, origin })
    if (this.#transaction === 'idle') this.#observer?.book?.({ is: 'commit' })
  }

  /** As node-postgres does: the caller learns of the error before the server is ready again. */
  #refuse(statement: RunningStatement, error: Error, before: 'ready' | 'cancel' = 'ready'): void {
    if (!this.#running.delete(statement)) return
    if (this.lentTo?.open === true) this.settings.goAgain(statement.difference)
    if (this.#transaction === 'open') this.#fail(statement.text)
    this.#observer?.failed?.(error)
    this.#observer?.settling?.()
    statement.reject(error)
    this.#script.play(before).then(
      () => this.#ready(),
      (broken: Error) => this.end(broken),
    )
  }

  /** A COMMIT that fails, as one does that finds a deferred constraint broken, is the end of its transaction. */
  #fail(text: string): void {
    if (text !== 'commit') {
      this.#transaction = 'failed'
      return
    }
    this.#transaction = 'idle'
    this.#rows.end(false)
    this.leftovers.end(false)
    this.#observer?.book?.({ is: 'rollback' })
  }

  #made(difference: SettingsDifference | undefined): void {
    if (difference === undefined) return
    this.settings.made(difference)
    this.#observer?.declared?.(difference)
  }

  #ready(): void {
    if (this.#endedBy !== undefined) return
    this.#owed -= 1
    if (this.#owed > 0) return
    this.#observer?.quiet(this.#transaction)
    for (const resolve of this.#whenReady.splice(0)) resolve()
  }
}
