import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Frame, HeldByFrame } from './frame.js'
import { type NamedHolder, type WaitedFor, WaitGraph, type WaitingFrame } from './wait-graph.js'

/** Numbers that a graph is drawn from: what does not fit is left out. */
interface Drawn {
  /** How many connections each pool can have. */
  readonly limits: readonly number[]
  /** Of each: its pool, and the one around it, if that was drawn before it. */
  readonly frames: ReadonlyArray<{ readonly pool: number; readonly around: number }>
  /** Connections that somebody holds without a frame, by pool. */
  readonly loose: readonly number[]
  readonly callers: ReadonlyArray<{ readonly pool: number; readonly frame: number }>
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  limits: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
  frames: fc.array(fc.record({ pool: fc.nat(2), around: fc.integer({ min: -1, max: 5 }) }), { maxLength: 7 }),
  loose: fc.array(fc.nat(2), { maxLength: 2 }),
  callers: fc.array(fc.record({ pool: fc.nat(2), frame: fc.nat(6) }), { maxLength: 6 }),
})

interface Pool extends WaitedFor {
  readonly limit: number
  readonly connections: Array<HeldByFrame & NamedHolder>
}

interface Caller extends WaitingFrame {
  readonly pool: Pool
}

interface Graph {
  readonly pools: readonly Pool[]
  readonly frames: readonly Frame[]
  readonly callers: readonly Caller[]
}

function build({ limits, frames, loose, callers }: Drawn): Graph {
  const pools = limits.map((limit): Pool => {
    const connections: Pool['connections'] = []
    return {
      limit,
      connections,
      allHeld: () =>
        connections.length < limit ? undefined : new Map(connections.map((held) => [held.connection, held])),
    }
  })
  const hold = (at: number): (HeldByFrame & NamedHolder) | undefined => {
    const pool = pools[at]
    if (pool === undefined || pool.connections.length === pool.limit) return undefined
    const held = { open: true, connection: {}, label: `${at}`, site: undefined }
    pool.connections.push(held)
    return held
  }
  const built: Frame[] = []
  for (const { pool, around } of frames) {
    const holds = hold(pool)
    if (holds === undefined) continue
    built.push({ poolId: pool, pool: `${pool}`, outer: built[around], isTransaction: false, isOrmsOwn: false, holds })
  }
  for (const pool of loose) hold(pool)
  const waiting = callers.flatMap(({ pool, frame }): Caller[] => {
    const [on, inside] = [pools[pool], built[frame]]
    return on === undefined || inside === undefined ? [] : [{ pool: on, frame: inside }]
  })
  return { pools, frames: built, callers: waiting }
}

/** Plays every order in which callers can be served and connections given back; returns who is served in none of them. */
function neverServed({ pools, frames, callers }: Graph): Caller[] {
  const served = new Set<number>()
  const met = new Set<string>()
  const isAround = (frame: Frame, caller: Caller): boolean => {
    for (let at: Frame | undefined = caller.frame; at !== undefined; at = at.outer) if (at === frame) return true
    return false
  }
  const play = (waiting: readonly number[], running: readonly number[], loose: readonly number[]): void => {
    const key = JSON.stringify([waiting, running, loose])
    if (met.has(key)) return
    met.add(key)
    for (const [at, caller] of callers.entries()) if (!waiting.includes(at) && caller) served.add(at)
    for (const at of waiting) {
      const pool = callers[at]?.pool
      const inUse = running.filter((frame) => pools[frames[frame]?.poolId ?? -1] === pool).length
      const isFree = inUse + (loose[pools.indexOf(pool as Pool)] ?? 0) < (pool?.limit ?? 0)
      if (isFree) play(without(waiting, at), running, loose)
    }
    for (const at of running) {
      const frame = frames[at]
      const isBusy = waiting.some((caller) => frame && callers[caller] && isAround(frame, callers[caller]))
      if (!isBusy) play(waiting, without(running, at), loose)
    }
    for (const [at, held] of loose.entries()) if (held > 0) play(waiting, running, loose.with(at, held - 1))
  }
  const held = (pool: Pool, at: number): number =>
    pool.connections.length - frames.filter(({ poolId }) => poolId === at).length
  play([...callers.keys()], [...frames.keys()], pools.map(held))
  return callers.filter((_, at) => !served.has(at))
}

function without(all: readonly number[], one: number): number[] {
  return all.filter((other) => other !== one)
}

function deadlocked({ callers }: Graph): readonly Caller[] {
  const graph = new WaitGraph<Caller>()
  for (const caller of callers) graph.add(caller)
  return graph.deadlocked()
}

it('those are deadlocked who are served in no order in which things can go on', () => {
  let found = 0
  fc.assert(
    fc.property(drawn, (numbers) => {
      const graph = build(numbers)
      const stuck = neverServed(graph)
      if (stuck.length > 0) found += 1
      expect(deadlocked(graph)).toEqual(stuck)
    }),
    { numRuns: 2_000, ...(process.env['CI'] === undefined ? {} : { seed: 20_261_122 }) },
  )
  // Else the oracle would have had nothing to say.
  expect(found).toBeGreaterThan(100)
})

it('when one of them gives up, the others are looked at anew', () => {
  const { pools, callers } = build({
    limits: [2],
    frames: [
      { pool: 0, around: -1 },
      { pool: 0, around: -1 },
    ],
    loose: [],
    callers: [
      { pool: 0, frame: 0 },
      { pool: 0, frame: 1 },
    ],
  })
  const graph = new WaitGraph<Caller>()
  for (const caller of callers) graph.add(caller)
  expect([pools[0]?.allHeld()?.size, graph.deadlocked().length]).toEqual([2, 2])
  graph.remove(callers[1] as Caller)
  expect(graph.deadlocked()).toEqual([])
})

it('through two pools, each of whose connections is held by who waits for the other, both are deadlocked', () => {
  const graph = build({
    limits: [1, 1],
    frames: [
      { pool: 0, around: -1 },
      { pool: 1, around: -1 },
    ],
    loose: [],
    callers: [
      { pool: 1, frame: 0 },
      { pool: 0, frame: 1 },
    ],
  })
  expect(deadlocked(graph)).toHaveLength(2)
})
