import { playTrouble, SERVER_TROUBLES } from '@leasehold/testkit/faults'
import { expect, test, vi } from 'vitest'
import { expectNothingLost } from './expect-nothing-lost.js'
import { LONGEST_MS, MOST_DIALS } from './open-fault-stage.js'
import { useFaultStage } from './use-fault-stage.js'

const faults = useFaultStage({ max_connections: '14', superuser_reserved_connections: '1' })

// Each waits until the service is back, which takes a busy machine its time.
vi.setConfig({ testTimeout: 60_000 })

test.each(SERVER_TROUBLES.map((trouble) => [trouble.name, trouble] as const))(
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
