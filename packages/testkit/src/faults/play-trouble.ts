import { setTimeout as sleep } from 'node:timers/promises'
import { findLeaseholdError } from '@leasehold/core'
import type { Aftermath, Stage, Trouble } from './stage.js'
import type { Refused } from './journal.js'
import type { SteadyLoad } from './steady-load.js'

const LASTS_MS = 600
const PATIENCE_MS = 15_000

/** Makes trouble under a load that is served, ends it, and waits until the load is served again. */
export async function playTrouble(trouble: Trouble, load: SteadyLoad, stage: Stage): Promise<Aftermath> {
  await load.untilServed(PATIENCE_MS)
  const dialsBefore = stage.proxy.dials.length
  const beganAt = performance.now()
  await trouble.begin(stage)
  await sleep(trouble.lastsMs ?? LASTS_MS)
  await trouble.end(stage)
  const endedAt = performance.now()
  const notBack = await load.untilServed(PATIENCE_MS).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
  const backAt = performance.now()
  const refused = load.journal.refusedBetween(beganAt, backAt)
  const shed = refused.filter(({ outcome }) => findLeaseholdError(outcome.error)?.code === 'LEASEHOLD_CIRCUIT_OPEN')
  return {
    trouble: trouble.name,
    firstKnowsMs: refused[0] && refused[0].outcome.at - beganAt,
    refused: refused.length,
    longestMs: Math.max(0, ...waitsOf(refused)),
    shed: { callers: shed.length, medianMs: waitsOf(shed)[shed.length >> 1] ?? 0 },
    dials: stage.proxy.dials.length - dialsBefore,
    backAfterMs: notBack === undefined ? backAt - endedAt : undefined,
    notBack,
    journal: load.journal,
  }
}

/** How long they waited, the shortest first. */
function waitsOf(refused: readonly Refused[]): readonly number[] {
  return refused.map(({ startedAt, outcome }) => outcome.at - startedAt).sort((one, other) => one - other)
}
