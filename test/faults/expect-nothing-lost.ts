import { judgeWrittenRows, type Stage } from '@leasehold/testkit/faults'
import { expect } from 'vitest'
import type { FaultStage } from './open-fault-stage.js'

/**
 * Ends the load. Nothing that was acknowledged is missing, nothing has run twice, and nobody holds or waits for anything.
 * `ask` is of the server that is to have it all in the end.
 */
export async function expectNothingLost({
  load,
  pool,
  ask,
}: Pick<FaultStage, 'load' | 'pool'> & Pick<Stage, 'ask'>): Promise<void> {
  await load.stop()
  const verdict = await judgeWrittenRows(ask, load.journal)
  expect(verdict).toEqual({ lost: [], twice: [], unasked: [] })
  await expect
    .poll(() => pool.snapshot(), { timeout: 5_000 })
    .toMatchObject({
      connections: { lent: 0, recycling: 0, checking: 0, opening: 0, closing: 0 },
      waiting: { count: 0 },
      holders: [],
    })
  const { counts } = pool.snapshot()
  expect(counts.released).toBe(counts.granted)
}
