import type { LeaseGate, SettingsDifference } from '@leasehold/core'
import { carriesAnother } from '../settings/carries-another.js'
import type { DeferredBegin } from '../transaction/deferred-begin.js'
import type { WireWatch } from '../wire/wire-watch.js'
import { refusalOf } from './refusal-of.js'

/** A statement that waits until the line is free. */
export interface Turn {
  readonly gate: LeaseGate
  /** What is sent, as `client.query` takes it; undefined for a Submittable. */
  readonly statement: unknown
  readonly values: unknown
  /** It makes the session ready for all its owners: no owner's settings are for it. */
  readonly isIntroduction: boolean
  /** Gives the statement to pg. */
  start(): void
  /** Its lease ended while it waited. */
  refuse(error: Error): void
}

/** Settings that the owner of a session has declared, and that its statements must run with. */
export interface StatementSettings {
  /** Whether the next statement wants settings to be made for it. */
  readonly isDue: boolean
  /** From now on this is what is to be made, and nothing else. */
  declare(difference: SettingsDifference): void
  /** Starts a statement for which settings are due, with them or after them, or refuses it. The line must be free. */
  start(turn: Turn): void
  /** A statement is not to be started any more; false if none waits here that is this one. */
  forgo(turn: Turn): boolean
}

/**
 * The statements of one connection, one after the other. pg queues by itself, but warns when more than one waits, and in
 * `session` mode statements of several handles meet here; those of a lease that ended must not be sent.
 *
 * In a pipeline, which is there to have several on the way, nobody waits.
 */
export class StatementTurns {
  readonly #wire: WireWatch | undefined
  readonly #isPipeline: boolean
  readonly #waiting: Turn[] = []
  /** The one whose settings are on their way, or were. */
  #atSettings: Turn | undefined
  /** The one whose transaction is being begun ahead of it, by itself. */
  #atBegin: Turn | undefined
  readonly #begin: DeferredBegin
  /** Once an owner has declared settings. */
  settings: StatementSettings | undefined

  constructor(wire: WireWatch | undefined, isPipeline: boolean, begin: DeferredBegin) {
    this.#wire = wire
    this.#isPipeline = isPipeline
    this.#begin = begin
  }

  /** Whether nothing runs or waits, and no settings are to be made first. */
  get areFree(): boolean {
    if (this.settings?.isDue === true) return false
    return this.#isPipeline || (this.#waiting.length === 0 && this.#atBegin === undefined && !this.#isLineBusy)
  }

  /** Whether a statement can go to pg now, and take along the BEGIN that is due, if one is. */
  areFreeFor(gate: LeaseGate, statement: unknown, values: unknown): boolean {
    return this.areFree && (!this.#begin.isDueFor(gate) || carriesAnother(statement, values))
  }

  wait(turn: Turn): void {
    this.#waiting.push(turn)
    // The line may be free, and only something else to come before it.
    if (this.settings?.isDue === true || this.#begin.isDueFor(turn.gate)) this.advance()
  }

  /** Takes back a turn that has not come; false if it has. */
  withdraw(turn: Turn): boolean {
    const at = this.#waiting.indexOf(turn)
    if (at >= 0) this.#waiting.splice(at, 1)
    else if (this.#atBegin === turn) this.#atBegin = undefined
    else return this.settings?.forgo(turn) === true
    return true
  }

  /** Refuses those of one lease. */
  refuseAllOf(gate: LeaseGate, error: Error): void {
    const refused = this.#waiting.filter((turn) => turn.gate === gate)
    for (const turn of refused) if (this.withdraw(turn)) turn.refuse(error)
    for (const turn of [this.#atSettings, this.#atBegin])
      if (turn?.gate === gate && this.withdraw(turn)) turn.refuse(error)
  }

  /** The connection has ended: what waits for its turn is told of the same error as what ran, as pg's own queue does. */
  end(error: Error): void {
    for (const turn of this.#waiting.splice(0)) turn.refuse(refusalOf(turn.gate, 'query') ?? error)
  }

  /** To be called when pg has dealt with a ReadyForQuery. */
  advance(): void {
    while (this.#waiting.length > 0 && this.#atBegin === undefined && !this.#isLineBusy) {
      const turn = this.#waiting.shift()
      if (turn !== undefined) this.#start(turn)
    }
  }

  #start(turn: Turn): void {
    const refusal = refusalOf(turn.gate, 'query')
    if (this.#begin.isDueFor(turn.gate) && this.#begin.isEndedBy(turn.statement)) this.#begin.forget()
    const areSettingsDue = !turn.isIntroduction && this.settings?.isDue === true
    if (refusal !== undefined) turn.refuse(refusal)
    else if (this.#begin.isDueFor(turn.gate) && (areSettingsDue || !carriesAnother(turn.statement, turn.values))) {
      this.#startAfterBegin(turn)
    } else if (areSettingsDue) {
      this.#atSettings = turn
      this.settings?.start(turn)
    } else turn.start()
  }

  #startAfterBegin(turn: Turn): void {
    this.#atBegin = turn
    this.#begin.goAlone((error) => {
      const waiting = this.#atBegin
      this.#atBegin = undefined
      if (error === undefined && waiting !== undefined) this.#start(waiting)
      else if (error !== undefined) waiting?.refuse(error)
    })
  }

  get #isLineBusy(): boolean {
    // On a dead line pg answers at once, with an error that says why.
    return this.#wire !== undefined && this.#wire.lostBy === undefined && !this.#wire.isQuiet
  }
}
