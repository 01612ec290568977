import type { StatementReading } from '../sql/statement-reading.js'

/**
 * Whose values `currval` and `lastval` would tell. They pin nothing: nobody meets another owner's by accident, but whoever
 * asks for them. Before that text they are cleared, unless its own owner has drawn some (issue 4 §3).
 *
 * An INSERT counts as drawing, since the text does not tell whether the table has a sequence. Whatever else uses a table may
 * have drawn unseen, by a trigger or a rule: that is reason enough to clear before another owner reads, and too little to
 * take what an owner reads for its own.
 */
export class SequenceValues {
  #drawnBy: object | undefined
  /** Who used tables last, and whether it was not the only one. */
  #usedBy: object | undefined
  #isUsedBySeveral = false

  /** Notes that `owner` is about to send this. Returns whether another owner's values must be cleared before. */
  mustClearBefore({ statements }: StatementReading, owner: object): boolean {
    let isForeign = false
    for (const { readsSequence, drawsSequence, relations } of statements) {
      if (readsSequence && this.#isForeignTo(owner)) isForeign = true
      if (drawsSequence) this.#drawnBy = owner
      else if (relations.length > 0) this.#use(owner)
    }
    if (isForeign) this.#clear(owner)
    return isForeign
  }

  #isForeignTo(owner: object): boolean {
    if (this.#drawnBy === owner) return false
    return this.#drawnBy !== undefined || this.#isUsedBySeveral || (this.#usedBy ?? owner) !== owner
  }

  #use(owner: object): void {
    if (this.#usedBy === owner) return
    this.#isUsedBySeveral = this.#usedBy !== undefined
    this.#usedBy = owner
  }

  /** What is left is the owner's own, of the text that comes after. */
  #clear(owner: object): void {
    if (this.#drawnBy !== owner) this.#drawnBy = undefined
    if (this.#usedBy !== owner) this.#usedBy = undefined
    this.#isUsedBySeveral = false
  }
}
