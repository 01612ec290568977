import type { LeaseGate } from '@leasehold/core'
import type { WireWatch } from '../wire/wire-watch.js'
import { refusalOf } from './refusal-of.js'

/** A statement that waits until the line is free. */
export interface Turn {
  readonly gate: LeaseGate
  /** Gives the statement to pg. */
  start(): void
  /** Its lease ended while it waited. */
  refuse(error: Error): void
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

  constructor(wire: WireWatch | undefined, isPipeline: boolean) {
    this.#wire = wire
    this.#isPipeline = isPipeline
  }

  /** Whether a statement can go to pg now. */
  get areFree(): boolean {
    return this.#isPipeline || (this.#waiting.length === 0 && !this.#isLineBusy)
  }

  wait(turn: Turn): void {
    this.#waiting.push(turn)
  }

  /** Takes back a turn that has not come; false if it has. */
  withdraw(turn: Turn): boolean {
    const at = this.#waiting.indexOf(turn)
    if (at >= 0) this.#waiting.splice(at, 1)
    return at >= 0
  }

  /** To be called when pg has dealt with a ReadyForQuery, or with the end of the connection. */
  advance(): void {
    while (this.#waiting.length > 0 && !this.#isLineBusy) {
      const turn = this.#waiting.shift()
      const refusal = turn && refusalOf(turn.gate, 'query')
      if (refusal === undefined) turn?.start()
      else turn?.refuse(refusal)
    }
  }

  get #isLineBusy(): boolean {
    // On a dead line pg answers at once, with an error that says why.
    return this.#wire !== undefined && this.#wire.lostBy === undefined && !this.#wire.isQuiet
  }
}
