import { TransactionEndedError, type TransactionEndedFacts } from '../errors/transaction-ended-error.js'
import { currentContext } from '../scope/context.js'
import type { PendingAcquire, Scope, ScopeAbort } from '../scope/scope.js'
import type { TransactionDesk } from './transaction-desk.js'

/** What took too long may be quick when there is less to do. */
const RETRY_AFTER_MS = 1_000

const HOW_SCOPES_END: Readonly<Record<ScopeAbort['why'], string>> = {
  closed: 'its scope closed before it was committed',
  deadline: 'the deadline of its scope passed before it was committed',
  signal: 'the signal of its scope aborted before it was committed',
}

/** What ends what somebody waits for. */
type GiveUp = (error: TransactionEndedError, isDeadline: boolean) => void

/**
 * How long one run of a transaction may go on: until its own deadline, that of its scope, or the scope's end. Nobody waits
 * longer than that for anything about it, whatever its server does.
 */
export class TimeLimit<Client> implements PendingAcquire {
  pendingAt = -1
  /** The deadline, its own or the scope's. */
  readonly at: number
  readonly #desk: TransactionDesk<Client>
  readonly #timeoutMs: number | undefined
  readonly #ownAt: number
  #scope: Scope | undefined
  readonly #waiting = new Set<GiveUp>()
  #label = ''
  #over: TransactionEndedError | undefined
  #isPast = false
  #leave = (): void => {}

  constructor(desk: TransactionDesk<Client>, timeoutMs: number | undefined) {
    this.#desk = desk
    this.#timeoutMs = timeoutMs
    const scope = currentContext()?.scope
    this.#scope = scope?.isOpen === true ? scope : undefined
    this.#ownAt = timeoutMs === undefined ? Number.POSITIVE_INFINITY : desk.clock.now() + timeoutMs
    this.at = Math.min(this.#ownAt, this.#scope?.deadlineOn(desk.clock) ?? Number.POSITIVE_INFINITY)
  }

  /** That it is over, and why. */
  get over(): TransactionEndedError | undefined {
    return this.#over
  }

  /** Counts from now on: there is a transaction. @param label whose it is. */
  watch(label: string): void {
    this.#label = label
    const aborted = this.#scope?.aborted
    if (aborted === undefined) this.#scope?.waits(this)
    else this.abandon(aborted)
    if (this.#ownAt === Number.POSITIVE_INFINITY) return
    this.#leave = this.#desk.wake(this.#ownAt, () => this.#end(`it took longer than its ${this.#timeoutMs} ms`, true))
  }

  /** It has ended, and may begin once more. */
  ignore(): void {
    this.#leave()
    this.#scope?.waitsNoMore(this)
  }

  /** It has ended for good. Handles lead here, and may be kept for longer than the scope is there. */
  letGo(): void {
    this.ignore()
    this.#scope = undefined
  }

  abandon({ why, reason }: ScopeAbort): void {
    this.#end(HOW_SCOPES_END[why], why === 'deadline', reason)
  }

  /**
   * What comes of the work; or the error that it is over, if that comes first.
   *
   * @throws {TransactionEndedError}
   */
  whileItLasts<T>(work: Promise<T>): Promise<T> {
    return this.#until(work, Number.POSITIVE_INFINITY, 'its end')
  }

  /**
   * The answer to what the pool itself says about the transaction. Whether the scope goes on makes no difference to it.
   *
   * @param answer of a statement that was sent.
   * @param graceMs how long it may take besides.
   * @throws {TransactionEndedError} when none comes in time.
   */
  answered<T>(answer: Promise<T>, graceMs: number): Promise<T> {
    return this.#until(answer, graceMs, 'its deadline')
  }

  /** The same, for what also goes on when nobody waits for it any more. */
  answeredLate<T>(answer: Promise<T>, graceMs: number): Promise<T> {
    return this.#until(answer, graceMs, 'nothing')
  }

  /** The error of a commit that was not answered. */
  inDoubt(cause: TransactionEndedError): TransactionEndedError {
    return this.#error(`COMMIT was sent, and nobody knows what came of it: ${cause.endedBy}`, cause, {
      isInDoubt: true,
    })
  }

  #until<T>(work: Promise<T>, graceMs: number, heeds: 'its end' | 'its deadline' | 'nothing'): Promise<T> {
    const ended = this.#over
    if (ended !== undefined && (heeds === 'its end' || (heeds === 'its deadline' && this.#isPast))) {
      work.catch(() => {})
      return Promise.reject(ended)
    }
    if (graceMs === Number.POSITIVE_INFINITY && !this.#mayEnd(heeds)) return work
    return new Promise<T>((resolve, reject) => {
      const since = this.#desk.clock.now()
      const giveUp: GiveUp = (error, isDeadline) => {
        if (heeds === 'nothing' || (heeds === 'its deadline' && !isDeadline)) return
        leave()
        reject(error)
      }
      const unanswered = (): void => {
        leave()
        const ms = this.#desk.clock.now() - since
        reject(this.#error(`the server did not answer within ${ms} ms, and its connection was closed`))
      }
      const takeBack = graceMs === Number.POSITIVE_INFINITY ? undefined : this.#desk.wake(since + graceMs, unanswered)
      const leave = (): void => {
        this.#waiting.delete(giveUp)
        takeBack?.()
      }
      this.#waiting.add(giveUp)
      work.then(
        (value) => {
          leave()
          resolve(value)
        },
        (error: unknown) => {
          leave()
          reject(error)
        },
      )
    })
  }

  #mayEnd(heeds: 'its end' | 'its deadline' | 'nothing'): boolean {
    return (
      heeds !== 'nothing' &&
      (this.at !== Number.POSITIVE_INFINITY || (heeds === 'its end' && this.#scope !== undefined))
    )
  }

  #end(endedBy: string, isDeadline: boolean, cause?: unknown): void {
    this.#over ??= this.#error(endedBy, cause, isDeadline ? { retryAfterMs: RETRY_AFTER_MS } : {})
    this.#isPast ||= isDeadline
    for (const giveUp of this.#waiting) giveUp(this.#over, isDeadline)
  }

  #error(
    endedBy: string,
    cause?: unknown,
    more: Pick<TransactionEndedFacts, 'isInDoubt' | 'retryAfterMs'> = {},
  ): TransactionEndedError {
    const { pool } = this.#desk.leases
    return new TransactionEndedError({ pool, label: this.#label, operation: 'commit', endedBy, cause, ...more })
  }
}
