/** Somebody whose work in a transaction comes in turn: one run of it, in whose context things are asked for. */
export interface TurnTaker {
  readonly parent: TurnTaker | undefined
}

/** Something that wants to be sent, or begun, on the session of a transaction. */
export interface TurnRequest {
  /** To whom it belongs. For a transaction that is to begin: itself. */
  readonly taker: TurnTaker
  /** Whether the taker begins with it, and works until `leave`. */
  readonly begins: boolean
  /** Who withdraws it, when it is not wanted any more. */
  readonly asker: object
  /** When it has waited long enough. */
  readonly deadlineAt: number
  start(): void
  /** It does not go ahead. */
  refuse(error: Error): void
}

/** What turns need of the session that is shared. */
export interface TurnsDesk {
  now(): number
  /** Calls `callback` at `at`; returns what takes it back. */
  wake(at: number, callback: () => void): () => void
  /** Whether a statement runs on the session. */
  isBusy(): boolean
  /** The error of one that waited too long. @param holder who has the turn. */
  tooLate(taker: TurnTaker, holder: TurnTaker, waitedMs: number): Error
}

interface Waiting {
  readonly request: TurnRequest
  readonly forget: () => void
}

/**
 * How long nothing may be heard of who has the turn. Longer than what code does between two statements, mostly; and who
 * waits for one that waits for itself loses no more than this.
 */
const GRACE_MS = 50

/**
 * Who may work in a transaction that several share. What runs side by side would lie in each other's savepoints, and be
 * undone with them: so one waits for the other.
 *
 * But who has the turn may itself wait for one that waits, and nobody can see that: when nothing has come of it for a
 * moment, the first that waits works inside it, and these two wait for each other no more.
 */
export class Turns {
  readonly #desk: TurnsDesk
  /** Those that have begun, each inside those before it. */
  readonly #begun: TurnTaker[] = []
  readonly #waiting: Waiting[] = []
  /** For whom one need not wait. */
  readonly #waived = new WeakMap<TurnTaker, WeakSet<TurnTaker>>()
  #sent = 0
  #ungrace: (() => void) | undefined

  constructor(desk: TurnsDesk) {
    this.#desk = desk
  }

  /** Whether what is asked for may go ahead at once; if not, `start` is called when its turn has come, or `refuse`. */
  take(request: TurnRequest): boolean {
    if (this.#mayWork(request.taker)) {
      this.#goesAhead(request)
      return true
    }
    this.#wait(request)
    return false
  }

  /** Whether a statement of `taker` may go ahead: the short form of `take`. */
  isFreeFor(taker: TurnTaker): boolean {
    if (!this.#mayWork(taker)) return false
    this.#sent += 1
    return true
  }

  /** Whoever had begun has ended. */
  leave(taker: TurnTaker): void {
    const at = this.#begun.lastIndexOf(taker)
    if (at < 0) return
    this.#begun.splice(at, 1)
    this.#serve()
  }

  /** Nothing that `asker` waits for goes ahead any more. */
  withdraw(asker: object, why: () => Error): void {
    if (this.#waiting.length === 0) return
    for (const waiting of this.#waiting.filter(({ request }) => request.asker === asker)) {
      this.#remove(waiting)
      waiting.request.refuse(why())
    }
  }

  #mayWork(taker: TurnTaker): boolean {
    const top = this.#begun.at(-1)
    if (top === undefined || top === taker || isWithin(taker, top)) return true
    return this.#begun.every((begun) => isWithin(taker, begun) || this.#isWaived(taker, begun))
  }

  #goesAhead({ taker, begins }: TurnRequest): void {
    this.#sent += 1
    if (begins) this.#begun.push(taker)
  }

  #wait(request: TurnRequest): void {
    const since = this.#desk.now()
    const forget = this.#desk.wake(request.deadlineAt, () => {
      const { taker } = request
      this.#remove(waiting)
      request.refuse(this.#desk.tooLate(taker, this.#holderBefore(taker), this.#desk.now() - since))
    })
    const waiting: Waiting = { request, forget }
    this.#waiting.push(waiting)
    this.#watch()
  }

  #remove(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at >= 0) this.#waiting.splice(at, 1)
    waiting.forget()
    if (this.#waiting.length > 0) return
    this.#ungrace?.()
    this.#ungrace = undefined
  }

  /** Starts those whose turn has come, in order. */
  #serve(): void {
    for (;;) {
      const next = this.#waiting.find(({ request }) => this.#mayWork(request.taker))
      if (next === undefined) return
      this.#start(next)
    }
  }

  #start(waiting: Waiting): void {
    this.#remove(waiting)
    this.#goesAhead(waiting.request)
    waiting.request.start()
  }

  /** Looks, as long as somebody waits, whether something comes of those that have begun. */
  #watch(): void {
    if (this.#ungrace !== undefined || this.#waiting.length === 0) return
    const sent = this.#sent
    this.#ungrace = this.#desk.wake(this.#desk.now() + GRACE_MS, () => {
      this.#ungrace = undefined
      if (sent === this.#sent && !this.#desk.isBusy()) this.#letIn()
      this.#watch()
    })
  }

  /** The first that waits works inside those that have begun. */
  #letIn(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    const { taker } = first.request
    for (const begun of this.#begun) {
      if (isWithin(taker, begun)) continue
      this.#waive(taker, begun)
      this.#waive(begun, taker)
    }
    this.#start(first)
    this.#serve()
  }

  #waive(one: TurnTaker, other: TurnTaker): void {
    const waived = this.#waived.get(one)
    if (waived === undefined) this.#waived.set(one, new WeakSet([other]))
    else waived.add(other)
  }

  /** What two need not wait for, all inside them need not either; but not what is around both. */
  #isWaived(taker: TurnTaker, begun: TurnTaker): boolean {
    for (const mine of linesOf(taker, begun)) {
      const waived = this.#waived.get(mine)
      if (waived !== undefined && linesOf(begun, taker).some((theirs) => waived.has(theirs))) return true
    }
    return false
  }

  #holderBefore(taker: TurnTaker): TurnTaker {
    return this.#begun.findLast((begun) => !isWithin(taker, begun)) ?? taker
  }
}

/** Whether `taker` is `around`, or lies in it. */
function isWithin(taker: TurnTaker, around: TurnTaker): boolean {
  for (let each: TurnTaker | undefined = taker; each !== undefined; each = each.parent) if (each === around) return true
  return false
}

/** One, and what is around it and not around the other. */
function linesOf(one: TurnTaker, other: TurnTaker): readonly TurnTaker[] {
  const lines = [one]
  for (let each = one.parent; each !== undefined && !isWithin(other, each); each = each.parent) lines.push(each)
  return lines
}
