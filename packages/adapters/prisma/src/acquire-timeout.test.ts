import { createPgPool } from '@leasehold/pg'
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { acquireTimeout } from './acquire-timeout.js'
import type { PrismaCall } from './prisma-call.js'

function waits(poolMs: number, maxWait: number | undefined, isLeased = true): number {
  const calls = new AsyncLocalStorage<PrismaCall>()
  const pool = createPgPool({ leasehold: { acquireTimeoutMs: poolMs } })
  const state = { pool, calls, isLeased }
  return maxWait === undefined ? acquireTimeout(state) : calls.run({ maxWait }, () => acquireTimeout(state))
}

test.each([
  [5_000, 2_000, 1_900],
  [5_000, 10_000, 5_000],
  [5_000, 500, 450],
  [5_000, 50, 40],
  [5_000, 5, 0],
  [300, 2_000, 300],
  [Infinity, Infinity, Infinity],
  [Infinity, 60_000, 59_900],
])('with %d ms of the pool and a maxWait of %d ms, a transaction waits %d ms for its connection', (pool, max, ms) => {
  expect(waits(pool, max)).toBe(ms)
})

test('what Prisma does not limit waits as long as the pool says', () => {
  expect(waits(30_000, undefined)).toBe(30_000)
})

test('a client that is not leased cannot tell, and is taken to wait as long as Prisma does by default', () => {
  expect(waits(30_000, undefined, false)).toBe(1_900)
})
