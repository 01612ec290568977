import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { askOf, failoverTroubles, playTrouble, WRITTEN_ROWS } from '@leasehold/testkit/faults'
import { type RestartablePostgres, startRestartablePostgres, startStandby } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectNothingLost } from './expect-nothing-lost.js'
import { type FaultStage, LONGEST_MS, openFaultStage } from './open-fault-stage.js'

const PATIENCE_MS = 10_000

vi.setConfig({ testTimeout: 60_000 })

let primary: RestartablePostgres
let standby: RestartablePostgres
let proxy: FaultProxy
let stage: FaultStage

beforeEach(async () => {
  primary = await startRestartablePostgres()
  await askOf(primary)(WRITTEN_ROWS)
  standby = await startStandby(primary)
  proxy = await startFaultProxy(primary)
})

afterEach(async () => {
  await stage.close()
  await proxy.close()
  await Promise.all([primary.stop(), standby.stop()])
})

test('when the primary crashes and its standby takes over, callers are there without a restart', async () => {
  stage = await openFaultStage(primary, proxy)
  const { longestMs, notBack } = await playTrouble(failoverTroubles(standby).crash, stage.load, stage)
  expect(notBack).toBeUndefined()
  expect(longestMs).toBeLessThan(LONGEST_MS)
  await expectNothingLost({ ...stage, ask: askOf(standby) })
})

test('when the primary becomes read-only and stays so, callers leave it for the one that takes over', async () => {
  stage = await openFaultStage(primary, proxy)
  const { longestMs, notBack } = await playTrouble(failoverTroubles(standby).demotion, stage.load, stage)
  expect(notBack).toBeUndefined()
  expect(longestMs).toBeLessThan(LONGEST_MS)
  await expectNothingLost({ ...stage, ask: askOf(standby) })
})

test('with pause, reconnect and resume around it, another server takes over and no caller hears of it', async () => {
  stage = await openFaultStage(primary, proxy, { deadlineMs: PATIENCE_MS, query_timeout: PATIENCE_MS })
  const { pool, load } = stage
  await load.untilServed(PATIENCE_MS)
  const since = performance.now()
  pool.pause()
  await expect.poll(() => pool.snapshot().connections, { interval: 5 }).toMatchObject({ lent: 0, recycling: 0 })
  await primary.halt('fast')
  await standby.promote()
  proxy.redirect(standby)
  pool.reconnect()
  pool.resume()
  await load.untilServed(PATIENCE_MS)
  expect(load.journal.refusedBetween(since, performance.now()).map(({ outcome }) => outcome.why)).toEqual([])
  await expectNothingLost({ ...stage, ask: askOf(standby) })
})
