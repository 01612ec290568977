import { setTimeout as sleep } from 'node:timers/promises'
import { NETWORK_TROUBLES } from '@leasehold/testkit/faults'
import { expect, test, vi } from 'vitest'
import { useFaultStage } from './use-fault-stage.js'

const CLOSE_MS = 300
/** What a farewell may take after the deadline, and the machine. */
const SLACK_MS = 3_000

vi.setConfig({ testTimeout: 60_000 })

const faults = useFaultStage()

test.each(NETWORK_TROUBLES.map((trouble) => [trouble.name, trouble] as const))(
  'while %s, a pool closes within its deadline, every caller is told, and no socket is left',
  async (_name, trouble) => {
    const { pool, load, proxy, ...stage } = await faults.open()
    await load.untilServed(15_000)
    await trouble.begin({ ...stage, proxy })
    await sleep(100)
    const since = performance.now()
    await pool.close({ deadlineMs: CLOSE_MS })
    expect(performance.now() - since).toBeLessThan(CLOSE_MS + SLACK_MS)
    await load.stop()
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 }, waiting: { count: 0 } })
    await proxy.heal()
    await expect.poll(() => proxy.lines.length, { timeout: 5_000 }).toBe(0)
    await trouble.end({ ...stage, proxy })
  },
)
