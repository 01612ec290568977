import type { OpenPool } from '../contestants/contestant.js'

/** All at once: everybody asks in the same moment, and all but ten of them wait. */
export async function burst(pool: OpenPool, leases: number): Promise<void> {
  await Promise.all(Array.from({ length: leases }, () => once(pool)))
}

async function once(pool: OpenPool): Promise<void> {
  pool.release(await pool.acquire())
}
