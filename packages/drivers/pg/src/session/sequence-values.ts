import type { StatementReading } from '../sql/statement-reading.js'

/**
 * Whose values `currval` and `lastval` would tell. They pin nothing: nobody meets another owner's by accident, but whoever
 * asks for them. Before that text they are cleared, unless its own owner has drawn some (issue 4 §3).
 *
 * An INSERT, UPDATE, DELETE or MERGE counts as drawing, since the text does not tell whether the table has a sequence, or a
 * rule or trigger that draws from one.
 */
export class SequenceValues {
  #drawnBy: object | undefined

  /** Notes that `owner` is about to send this. Returns whether another owner's values must be cleared before. */
  mustClearBefore({ statements }: StatementReading, owner: object): boolean {
    let isForeign = false
    for (const { readsSequence, drawsSequence } of statements) {
      if (readsSequence && this.#drawnBy !== undefined && this.#drawnBy !== owner) isForeign = true
      if (drawsSequence) this.#drawnBy = owner
    }
    if (isForeign && this.#drawnBy !== owner) this.#drawnBy = undefined
    return isForeign
  }
}
