import { playTrouble, type Trouble } from '@leasehold/testkit/faults'
import { expect, test, vi } from 'vitest'
import { expectNothingLost } from './expect-nothing-lost.js'
import { LONGEST_MS, MOST_DIALS } from './open-fault-stage.js'
import { useFaultStage } from './use-fault-stage.js'

/** Plays each trouble under load. @param settings those of the server. */
export function testTroubles(troubles: readonly Trouble[], settings?: Readonly<Record<string, string>>): void {
  const faults = useFaultStage(settings)

  // Each waits until the service is back, which takes a busy machine its time.
  vi.setConfig({ testTimeout: 60_000 })

  test.each(troubles.map((trouble) => [trouble.name, trouble] as const))(
    'when %s, callers are told in time and nothing is lost',
    async (_name, trouble) => {
      const stage = await faults.open()
      const aftermath = await playTrouble(trouble, stage.load, stage)
      expect(aftermath.notBack).toBeUndefined()
      expect(aftermath.longestMs).toBeLessThan(LONGEST_MS)
      expect(aftermath.dials).toBeLessThan(MOST_DIALS)
      await expectNothingLost(stage)
    },
  )
}
