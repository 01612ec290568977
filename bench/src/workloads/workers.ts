import type { OpenPool } from '../contestants/contestant.js'

const WORKERS = 64

/** A busy service: 64 callers share ten connections, so that 54 of them wait at any time. */
export async function workers(pool: OpenPool, leases: number): Promise<void> {
  const each = Math.ceil(leases / WORKERS)
  await Promise.all(Array.from({ length: WORKERS }, () => work(pool, each)))
}

/** Nothing is done with what is lent: whatever the worker itself costs would make all pools look more alike. */
async function work(pool: OpenPool, leases: number): Promise<void> {
  for (let lease = 0; lease < leases; lease += 1) pool.release(await pool.acquire())
}
