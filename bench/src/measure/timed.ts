import type { OpenPool } from '../contestants/contestant.js'

/** The same pool, with the time that every acquire took written to `samples`, in microseconds. */
export function timed(pool: OpenPool, samples: number[]): OpenPool {
  return {
    async acquire() {
      const since = performance.now()
      const held = await pool.acquire()
      samples.push((performance.now() - since) * 1_000)
      return held
    },
    release: (held) => pool.release(held),
    close: () => pool.close(),
  }
}
