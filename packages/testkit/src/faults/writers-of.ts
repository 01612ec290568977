import { setTimeout as sleep } from 'node:timers/promises'
import type { Writer } from './writer.js'

const THINKING_MS = 5

type Run = (text: string) => PromiseLike<unknown>

/** A way to the database, as far as these writers use it. */
export interface Way {
  /** A lone statement. */
  readonly run: Run
  transaction(work: (run: Run) => Promise<void>): PromiseLike<unknown>
}

/** Two writers on one way: one with lone statements, one with transactions, in each of which it thinks for a moment. */
export function writersOf(name: string, way: Way): readonly Writer[] {
  return [
    // The sleep makes it likely that a statement is just running when something happens.
    { name, write: (id) => way.run(`insert into written_rows select ${id} from pg_sleep(0.003)`) },
    {
      name: `${name}, in transactions`,
      write: (id) =>
        way.transaction(async (run) => {
          await run(`insert into written_rows values (${id})`)
          await sleep(THINKING_MS)
        }),
    },
  ]
}
