import type { Clock } from '../ports/clock.js'
import type { LedgerView, SessionObserver, TransactionStatus } from '../ports/driver.js'

/**
 * What the wire has told about one session: whether it is busy, what its transaction is, whether it is dead, and how
 * long the database has worked for it. The driver writes it as the session's observer; the pool reads it at release.
 */
export class SessionLedger implements SessionObserver, LedgerView {
  readonly #clock: Clock
  readonly #onLost: () => void
  #transaction: TransactionStatus = 'idle'
  #isQuiet = true
  #isSettling = false
  #lostBy: Error | undefined
  #statement: string | undefined
  #answeredAt: number | undefined
  #busySince = 0
  #busyTotal = 0
  #whenQuiet: Array<() => void> = []

  /** `onLost` is called once, when the session dies. */
  constructor(clock: Clock, onLost: () => void) {
    this.#clock = clock
    this.#onLost = onLost
  }

  get transaction(): TransactionStatus {
    return this.#transaction
  }

  get isQuiet(): boolean {
    return this.#isQuiet
  }

  /** The session is busy, but only the server's "ready" is still to come: no cancel is needed. */
  get isSettling(): boolean {
    return this.#isSettling
  }

  get lostBy(): Error | undefined {
    return this.#lostBy
  }

  /** The last statement as it was sent, literals and all: it must be redacted before anybody sees it. */
  get statement(): string | undefined {
    return this.#statement
  }

  /** Nothing runs, nothing is open, and the session lives: it can go to its next owner as it is. */
  get isClean(): boolean {
    return this.#isQuiet && this.#transaction === 'idle' && this.#lostBy === undefined
  }

  /** When the server last had answered everything; undefined as long as the driver has told of no answer. */
  get answeredAt(): number | undefined {
    return this.#answeredAt
  }

  /** Milliseconds the database has worked for this session so far. */
  busyMs(now: number): number {
    return this.#isQuiet ? this.#busyTotal : this.#busyTotal + (now - this.#busySince)
  }

  /** Calls `callback` once: when the session is quiet or dead, at once if it is. */
  onQuiet(callback: () => void): void {
    if (this.#isQuiet) callback()
    else this.#whenQuiet.push(callback)
  }

  /** Forgets the last owner's statement: a report about the next owner must not show it. */
  turnPage(): void {
    this.#statement = undefined
  }

  busy(statement?: string): void {
    if (statement !== undefined) this.#statement = statement
    this.#isSettling = false
    if (!this.#isQuiet || this.#lostBy !== undefined) return
    this.#isQuiet = false
    this.#busySince = this.#clock.now()
  }

  settling(): void {
    this.#isSettling = true
  }

  quiet(transaction: TransactionStatus): void {
    const now = this.#clock.now()
    this.#transaction = transaction
    this.#answeredAt = now
    this.#endBusy(now)
  }

  lost(error: Error): void {
    if (this.#lostBy !== undefined) return
    this.#lostBy = error
    this.#endBusy(this.#clock.now())
    this.#onLost()
  }

  #endBusy(now: number): void {
    if (this.#isQuiet) return
    this.#isQuiet = true
    this.#isSettling = false
    this.#busyTotal += now - this.#busySince
    if (this.#whenQuiet.length === 0) return
    const callbacks = this.#whenQuiet
    this.#whenQuiet = []
    for (const callback of callbacks) callback()
  }
}
