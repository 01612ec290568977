import type { OpenPool } from '../contestants/contestant.js'
import { collectGarbage } from '../measure/collect-garbage.js'

/** The bytes of heap that a caller costs while it waits, the promise that it holds included. */
export async function waitingHeap(pool: OpenPool, waiters: number): Promise<number> {
  const promises = Array.from({ length: waiters }, () => RESOLVED)
  const lent = await Promise.all(Array.from({ length: 10 }, () => pool.acquire()))
  const before = heapUsed()
  for (let waiter = 0; waiter < waiters; waiter += 1) promises[waiter] = pool.acquire()
  const after = heapUsed()
  for (const held of lent) pool.release(held)
  for (const promise of promises) pool.release(await promise)
  return (after - before) / waiters
}

const RESOLVED: Promise<unknown> = Promise.resolve()

function heapUsed(): number {
  // The second one takes what the first one's finalizers have let go.
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}
