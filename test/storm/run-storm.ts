import { runInScope } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { setTimeout as pause } from 'node:timers/promises'
import type * as pg from 'pg'
import { MOST_BUSY_MS, startHeartbeat } from './heartbeat.js'
import { Journal } from './journal.js'
import type { Gust, RequestPlan, Step, StormPlan } from './plan.js'
import { play } from './play-request.js'

const RESET_MS = 200
const CLOSE_MS = 100
const GRACE_MS = 100
const ACQUIRE_MS = 800
const CONNECT_MS = 500
const BUSY_MACHINE_MS = 4_000

export interface StormParts {
  /** Of the server, or of what stands before it. */
  readonly url: string
  /** Goes to the server itself, which is well. */
  readonly outside: pg.Client
  readonly behind?: 'pgbouncer' | undefined
}

/** Plays a storm, and throws what must not be. Returns how often what came about. */
export async function runStorm(
  plan: StormPlan,
  { url, outside, behind }: StormParts,
): Promise<ReadonlyMap<string, number>> {
  const name = `storm ${Math.random()}`
  const { hostname: host, port } = new URL(url)
  await outside.query('truncate storm_rows')
  const proxy = await startFaultProxy({ host, port: Number(port) })
  const pool = createPgPool({
    connectionString: proxy.through(url),
    application_name: name,
    max: plan.max,
    leasehold: {
      acquireTimeoutMs: ACQUIRE_MS,
      connectTimeoutMs: CONNECT_MS,
      breaker: { probeAfterMs: 100, maxProbeAfterMs: 300 },
      resetTimeoutMs: RESET_MS,
      closeTimeoutMs: CLOSE_MS,
      closeGraceMs: GRACE_MS,
      checkTimeoutMs: 100,
      ...(plan.queryTimeoutMs === undefined ? {} : { queryTimeoutMs: plan.queryTimeoutMs }),
      ...(behind === undefined ? {} : { behind }),
    },
  })
  pool.on('error', () => {})
  const journal = new Journal()
  const onStray = (error: unknown): void => journal.never(`nobody caught ${(error as Error).stack}`)
  process.on('unhandledRejection', onStray).on('uncaughtException', onStray)
  const heartbeat = startHeartbeat(JSON.stringify(plan))
  const count = setInterval(() => {
    const { total } = pool.snapshot().connections
    if (total > plan.max) journal.never(`there were ${total} connections`)
  }, 10)
  try {
    const blown = blow(plan.weather, proxy)
    await Promise.all(
      plan.requests.map((request, number) => playRequest(request, `r${number}`, { pool, journal, plan, behind })),
    )
    await blown
    await expectPeace(pool, journal)
    clearInterval(count)
    await inTime(pool.close({ deadlineMs: 1_000 }), 1_000 + RESET_MS + CLOSE_MS + BUSY_MACHINE_MS, 'close()', journal)
    await expectGone(outside, name, behind, journal)
    const { rows } = await outside.query<{ id: string }>('select id from storm_rows')
    journal.settle(rows.map(({ id }) => id))
    if (heartbeat.longestMs > MOST_BUSY_MS) journal.never(`the event loop was blocked for ${heartbeat.longestMs} ms`)
  } finally {
    clearInterval(count)
    await heartbeat.stop()
    process.off('unhandledRejection', onStray).off('uncaughtException', onStray)
    await proxy.close()
  }
  if (journal.faults.length > 0) throw new Error(`${journal.faults.join('\n')}\nin ${JSON.stringify(plan)}`)
  return journal.told
}

async function playRequest(
  { afterMs, ends, declares, mode, steps }: RequestPlan,
  by: string,
  {
    pool,
    journal,
    plan,
    behind,
  }: { pool: LeasedPgPool; journal: Journal; plan: StormPlan; behind: string | undefined },
): Promise<void> {
  await pause(afterMs)
  const controller = new AbortController()
  const options = {
    label: by,
    signal: controller.signal,
    ...(ends.by === 'deadline' ? { deadlineMs: ends.ms } : {}),
    // No session is anybody's own behind a proxy.
    ...(behind === undefined ? { mode } : {}),
    ...(declares ? { settings: { 'app.tenant': by } } : {}),
  }
  if (ends.by === 'abort') setTimeout(() => controller.abort(new Error('the client has gone')), ends.ms)
  const run = runInScope(options, (scope) =>
    play(steps, {
      pool,
      journal,
      by,
      declares,
      isShared: mode === 'session' && behind === undefined,
      scope,
      send: (text, values) => pool.query(text, values),
      transaction: undefined,
      declared: undefined,
      isGivenBack: false,
    }),
  )
  // One that nobody ends waits for the weather, and what it asks for takes its time.
  const ownMs = idleOf(steps)
  const weatherMs = plan.weather.reduce((sum, gust) => sum + gust.afterMs, 0)
  const mostMs =
    ends.by === 'itself' ? weatherMs + 8 * ACQUIRE_MS + sleepOf(steps) : ends.ms + 3 * RESET_MS + GRACE_MS + CLOSE_MS
  await inTime(run, ownMs + mostMs + BUSY_MACHINE_MS, `request ${by}`, journal, () =>
    journal.doing.get(by)?.join(' > '),
  )
}

async function inTime(
  work: Promise<unknown>,
  withinMs: number,
  what: string,
  journal: Journal,
  doing = (): string | undefined => '',
): Promise<void> {
  const controller = new AbortController()
  const tooLate = pause(withinMs, 'too late', { signal: controller.signal }).catch(() => {})
  const done = work.then(
    () => journal.counts(`${what.split(' ')[0]} done`),
    () => journal.counts(`${what.split(' ')[0]} failed`),
  )
  if ((await Promise.race([done, tooLate])) === 'too late')
    journal.never(`${what} was not over after ${withinMs} ms: ${doing()}`)
  controller.abort()
}

async function blow(weather: readonly Gust[], proxy: FaultProxy): Promise<void> {
  for (const { afterMs, fault, line } of weather) {
    await pause(afterMs)
    const isOfOne = line !== undefined && fault !== undefined && !['refuse', 'hang', 'close'].includes(fault.is)
    if (isOfOne) proxy.lines[line]?.fault(fault as Parameters<FaultProxy['lines'][number]['fault']>[0])
    else await (fault === undefined ? proxy.heal() : proxy.fault(fault))
  }
  await pause(100)
  await proxy.heal()
}

/** When all requests are over and all is well, nothing is held, nobody waits, and the pool serves. */
async function expectPeace(pool: LeasedPgPool, journal: Journal): Promise<void> {
  const until = performance.now() + 3 * RESET_MS + CLOSE_MS + BUSY_MACHINE_MS
  const isQuiet = (): boolean => {
    const { connections, waiting } = pool.snapshot()
    return connections.lent + connections.recycling + connections.closing + waiting.count === 0
  }
  while (!isQuiet() && performance.now() < until) await pause(10)
  if (!isQuiet()) {
    const { connections, waiting, holders } = pool.snapshot()
    journal.never(`nothing was to be held any more: ${JSON.stringify({ connections, waiting, holders })}`)
  }
  let failure: unknown
  while (performance.now() < until) {
    try {
      return void (await pool.query('select 1'))
    } catch (error) {
      failure = error
    }
    await pause(50)
  }
  journal.never(`the pool did not serve any more, though all was well: ${String(failure)}`)
}

async function expectGone(
  outside: pg.Client,
  name: string,
  behind: string | undefined,
  journal: Journal,
): Promise<void> {
  if (behind !== undefined) return
  const until = performance.now() + BUSY_MACHINE_MS
  for (;;) {
    const { rows } = await outside.query('select state, query from pg_stat_activity where application_name = $1', [
      name,
    ])
    if (rows.length === 0) return
    if (performance.now() > until) return journal.never(`the server still has ${JSON.stringify(rows)}`)
    await pause(20)
  }
}

/** How long its own code idles, whoever is over meanwhile. */
function idleOf(steps: readonly Step[]): number {
  return steps.reduce(
    (sum, step) => sum + timesOf(step) * (step.does === 'idle' ? step.ms : 'steps' in step ? idleOf(step.steps) : 0),
    0,
  )
}

function sleepOf(steps: readonly Step[]): number {
  return steps.reduce(
    (sum, step) =>
      sum + timesOf(step) * (step.does === 'sleep' ? step.ms : 'steps' in step ? sleepOf(step.steps) : ACQUIRE_MS),
    0,
  )
}

function timesOf(step: Step): number {
  return step.does === 'transaction' ? step.retries + 1 : 1
}
