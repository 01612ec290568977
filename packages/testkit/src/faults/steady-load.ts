import { setTimeout as sleep } from 'node:timers/promises'
import { Journal } from './journal.js'
import type { Writer } from './writer.js'

/** A small load that goes on whatever happens: each caller writes a row, rests a little, and writes the next. */
export class SteadyLoad {
  readonly journal = new Journal()
  readonly writers: readonly Writer[]
  readonly #callers: ReadonlyArray<Promise<void>>
  readonly #pauseMs: number
  #isOn = true

  constructor(writers: readonly Writer[], { callersEach = 2, pauseMs = 5 } = {}) {
    this.writers = writers
    this.#pauseMs = pauseMs
    this.#callers = writers.flatMap((writer) => Array.from({ length: callersEach }, () => this.#call(writer)))
  }

  /** Resolves when all writers have been served for something that they began after this call. */
  async untilServed(patienceMs: number): Promise<void> {
    const since = performance.now()
    for (;;) {
      const waiting = this.writers.filter(({ name }) => !this.journal.hasServed(name, since))
      if (waiting.length === 0) return
      if (performance.now() - since > patienceMs)
        throw new Error(
          `not served within ${patienceMs} ms: ${waiting.map(({ name }) => name).join(', ')}; ` +
            `the last refusal: ${this.journal.refusedBetween(since, performance.now()).at(-1)?.outcome.why ?? 'none'}`,
        )
      await sleep(2)
    }
  }

  /** Resolves when the last caller has been told. */
  async stop(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#callers)
  }

  async #call(writer: Writer): Promise<void> {
    while (this.#isOn) {
      await this.journal.note(writer.name, (id) => writer.write(id))
      await sleep(this.#pauseMs)
    }
  }
}
