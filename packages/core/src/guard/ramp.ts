/**
 * How many connections may be opened at a time. After a failure it is one; the first that is opened leaves it at one, and
 * each one after that doubles it, up to what the pool may do anyway: a server that comes back is not run over.
 */
export class Ramp {
  readonly #full: number
  /** Connections opened since the last failure; undefined when the way is as wide as it gets. */
  #opened: number | undefined

  constructor(full: number) {
    this.#full = full
  }

  get width(): number {
    return this.#opened === undefined ? this.#full : Math.min(this.#full, 2 ** Math.max(0, this.#opened - 1))
  }

  failed(): void {
    this.#opened = 0
  }

  opened(): void {
    if (this.#opened === undefined) return
    this.#opened += 1
    // Without a limit, a way this wide is none either.
    if (this.width >= Math.min(this.#full, WIDE)) this.#opened = undefined
  }
}

const WIDE = 1_024
