import type { LeaseGate, SettingsDifference } from '@leasehold/core'
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
  /** Once an owner has declared settings. */
  settings: StatementSettings | undefined

  constructor(wire: WireWatch | undefined, isPipeline: boolean) {
    this.#wire = wire
    this.#isPipeline = isPipeline
  }

  /** Whether a statement can go to pg now. */
  get areFree(): boolean {
    if (this.settings?.isDue === true) return false
    return this.#isPipeline || (this.#waiting.length === 0 && !this.#isLineBusy)
  }

  wait(turn: Turn): void {
    this.#waiting.push(turn)
    // The line may be free, and only its settings to come before it.
    if (this.settings?.isDue === true) this.advance()
  }

  /** Takes back a turn that has not come; false if it has. */
  withdraw(turn: Turn): boolean {
    const at = this.#waiting.indexOf(turn)
    if (at < 0) return this.settings?.forgo(turn) === true
    this.#waiting.splice(at, 1)
    return true
  }

  /** Refuses those of one lease. */
  refuseAllOf(gate: LeaseGate, error: Error): void {
    const refused = this.#waiting.filter((turn) => turn.gate === gate)
    for (const turn of refused) if (this.withdraw(turn)) turn.refuse(error)
    const turn = this.#atSettings
    if (turn?.gate === gate && this.settings?.forgo(turn) === true) turn.refuse(error)
  }

  /** The connection has ended: what waits for its turn is told of the same error as what ran, as pg's own queue does. */
  end(error: Error): void {
    for (const turn of this.#waiting.splice(0)) turn.refuse(refusalOf(turn.gate, 'query') ?? error)
  }

  /** To be called when pg has dealt with a ReadyForQuery. */
  advance(): void {
    while (this.#waiting.length > 0 && !this.#isLineBusy) {
      const turn = this.#waiting.shift()
      const refusal = turn && refusalOf(turn.gate, 'query')
      if (refusal !== undefined) turn?.refuse(refusal)
      else if (turn?.isIntroduction === false && this.settings?.isDue === true) {
        this.#atSettings = turn
        this.settings.start(turn)
      } else turn?.start()
    }
  }

  get #isLineBusy(): boolean {
    // On a dead line pg answers at once, with an error that says why.
    return this.#wire !== undefined && this.#wire.lostBy === undefined && !this.#wire.isQuiet
  }
}
