import type { OpenPool } from '../contestants/contestant.js'

/** One caller, one lease after the other: nobody ever waits. */
export async function sequential(pool: OpenPool, leases: number): Promise<void> {
  for (let lease = 0; lease < leases; lease += 1) pool.release(await pool.acquire())
}
