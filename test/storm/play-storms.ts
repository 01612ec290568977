import { SEED } from '@leasehold/testkit'
import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, expect } from 'vitest'
import { storms } from './plan.js'
import { runStorm, type StormParts } from './run-storm.js'

/** The first of them: `LEASEHOLD_STORM_SEED` for the same storms once more. */
const FIRST_SEED = Number(process.env['LEASEHOLD_STORM_SEED'] ?? SEED.seed ?? Date.now() % 1_000_000_000)

/** A client that goes to the server itself, and the table that storms write to. */
export function useStormTable(database: { readonly url: string }): () => Client {
  let outside: Client
  beforeAll(async () => {
    outside = new Client(database.url)
    await outside.connect()
    await outside.query('create table storm_rows (id text not null)')
  })
  afterAll(() => outside.end())
  return () => outside
}

/** Plays one storm after the other for so long. */
export async function playStorms(forMs: number, parts: StormParts): Promise<void> {
  const until = performance.now() + forMs
  const told = new Map<string, number>()
  for (let seed = FIRST_SEED; performance.now() < until; seed += 1) {
    const [plan] = fc.sample(storms, { seed, numRuns: 1 })
    if (plan === undefined) throw new Error('no storm was made')
    try {
      for (const [what, count] of await runStorm(plan, parts)) told.set(what, (told.get(what) ?? 0) + count)
    } catch (cause) {
      throw new Error(`the storm of LEASEHOLD_STORM_SEED=${seed} did this: ${(cause as Error).message}`, { cause })
    }
  }
  // Otherwise nothing was shown.
  expect(told.get('row there')).toBeGreaterThan(0)
  expect(told.get('request failed')).toBeGreaterThan(0)
}
