import { setTimeout as sleep } from 'node:timers/promises'
import type { Aftermath, Stage, Trouble } from './stage.js'
import type { SteadyLoad } from './steady-load.js'

const LASTS_MS = 600
const PATIENCE_MS = 15_000

/**
 * Makes trouble under a load that is served, ends it, and waits until the load is served again. `lastsMs` is for troubles
 * that do not know by themselves how long they last.
 */
export async function playTrouble(
  trouble: Trouble,
  load: SteadyLoad,
  stage: Stage,
  { lastsMs = LASTS_MS } = {},
): Promise<Aftermath> {
  await load.untilServed(PATIENCE_MS)
  const dialsBefore = stage.proxy.dials.length
  const beganAt = performance.now()
  await trouble.begin(stage)
  await sleep(trouble.lastsMs ?? lastsMs)
  await trouble.end(stage)
  const endedAt = performance.now()
  const notBack = await load.untilServed(PATIENCE_MS).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
  const backAt = performance.now()
  const refused = load.journal.refusedBetween(beganAt, backAt)
  const shed = refused.filter(({ outcome }) => outcome.code === 'LEASEHOLD_CIRCUIT_OPEN')
  const waits = refused.map(({ startedAt, outcome }) => outcome.at - startedAt).sort((one, other) => one - other)
  return {
    trouble: trouble.name,
    firstKnowsMs: refused[0] && refused[0].outcome.at - beganAt,
    refused: refused.length,
    medianMs: waits[waits.length >> 1] ?? 0,
    longestMs: waits.at(-1) ?? 0,
    shed: shed.length,
    dials: stage.proxy.dials.length - dialsBefore,
    backAfterMs: notBack === undefined ? backAt - endedAt : undefined,
    notBack,
    journal: load.journal,
  }
}
