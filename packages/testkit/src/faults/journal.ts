import { findLeaseholdError } from '@leasehold/core'

/**
 * What became of a caller. Of an error its code, where it is one of ours, and its words: the error itself has, as long as
 * nobody has looked at its stack, everything in hand that was at work when it was made, and a journal has thousands.
 */
export type Outcome =
  | { readonly is: 'acknowledged'; readonly at: number }
  | { readonly is: 'refused'; readonly at: number; readonly code: string | undefined; readonly why: string }

/** One caller who wanted one row stored. Times are those of `performance.now()`. */
export interface Attempt {
  readonly id: number
  readonly writer: string
  readonly startedAt: number
  /** Undefined while it waits. */
  readonly outcome: Outcome | undefined
}

export type Refused = Attempt & { readonly outcome: Extract<Outcome, { is: 'refused' }> }

type Written = { -readonly [Name in keyof Attempt]: Attempt[Name] }

/** Who wanted what, and what they were told. */
export class Journal {
  readonly #attempts: Written[] = []
  /** When the latest of each writer that was acknowledged had begun. */
  readonly #served = new Map<string, number>()

  get attempts(): readonly Attempt[] {
    return this.#attempts
  }

  /** Resolves, always, when the caller has been told; `write` is given the id of the row. */
  async note(writer: string, write: (id: number) => PromiseLike<unknown>): Promise<void> {
    const id = this.#attempts.length + 1
    const startedAt = performance.now()
    const attempt: Written = { id, writer, startedAt, outcome: undefined }
    this.#attempts.push(attempt)
    try {
      await write(id)
      attempt.outcome = { is: 'acknowledged', at: performance.now() }
      this.#served.set(writer, Math.max(startedAt, this.#served.get(writer) ?? 0))
    } catch (error) {
      attempt.outcome = {
        is: 'refused',
        at: performance.now(),
        code: findLeaseholdError(error)?.code,
        why: wordsOf(error),
      }
    }
  }

  /** Who was told between two moments that nothing is known to be stored, the first first. */
  refusedBetween(from: number, to: number): readonly Refused[] {
    return this.#attempts
      .filter((attempt): attempt is Refused => attempt.outcome?.is === 'refused')
      .filter(({ outcome }) => outcome.at >= from && outcome.at <= to)
      .sort((one, other) => one.outcome.at - other.outcome.at)
  }

  /** Whether this writer was served for something that it began after the moment. */
  hasServed(writer: string, since: number): boolean {
    return (this.#served.get(writer) ?? -1) >= since
  }
}

/** An error and what caused it. */
function wordsOf(error: unknown): string {
  const words = String(error)
  const { cause } = (error ?? {}) as { readonly cause?: unknown }
  return cause === undefined ? words : `${words} ← ${wordsOf(cause)}`
}
