import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NamedHolder, type WaitedFor, WaitGraph, type WaitingCaller } from './wait-graph.js'

/** Numbers that a graph is drawn from: what does not fit is left out. */
interface Drawn {
  /** How many connections each pool can have, and how many of them one scope may have: 0 for as many as it likes. */
  readonly pools: ReadonlyArray<{ readonly limit: number; readonly share: number }>
  /** Of each: its pool and its scope, and the one around it, if that was drawn before it. */
  readonly frames: ReadonlyArray<{ readonly pool: number; readonly scope: number; readonly around: number }>
  /** Connections that somebody holds without a frame. */
  readonly loose: ReadonlyArray<{ readonly pool: number; readonly scope: number }>
  readonly callers: ReadonlyArray<{ readonly pool: number; readonly scope: number; readonly frame: number }>
}

const of = { pool: fc.nat(2), scope: fc.nat(1) }
const drawn: fc.Arbitrary<Drawn> = fc.record({
  pools: fc.array(fc.record({ limit: fc.integer({ min: 1, max: 3 }), share: fc.nat(2) }), {
    minLength: 1,
    maxLength: 3,
  }),
  frames: fc.array(fc.record({ ...of, around: fc.integer({ min: -1, max: 5 }) }), { maxLength: 7 }),
  loose: fc.array(fc.record(of), { maxLength: 2 }),
  callers: fc.array(fc.record({ ...of, frame: fc.integer({ min: -1, max: 6 }) }), { maxLength: 6 }),
})

/** One that is lent, or a place of a scope that waits for one. */
interface Held {
  readonly pool: Pool
  /** The places of its scope, where it counts among them. */
  readonly places: Places | undefined
}

interface Frame extends Held {
  readonly outer: Frame | undefined
}

class Resource implements WaitedFor {
  readonly limit: number
  readonly held = new Set<object>()

  constructor(limit: number) {
    this.limit = limit
  }

  get isFull(): boolean {
    return this.held.size >= this.limit
  }

  allHeld(): ReadonlyMap<object, NamedHolder | undefined> | undefined {
    return this.isFull ? new Map([...this.held].map((held) => [held, undefined])) : undefined
  }
}

class Places extends Resource {}

class Pool extends Resource {
  readonly scopes: ReadonlyArray<Places | undefined>

  constructor(limit: number, share: number) {
    super(limit)
    this.scopes = [0, 1].map(() => (share === 0 ? undefined : new Places(share)))
  }
}

class Caller implements WaitingCaller {
  readonly pool: Pool
  readonly places: Places | undefined
  readonly frame: Frame | undefined
  /** Whether it waits for a place, and for a connection only then. */
  readonly isParked: boolean

  constructor(pool: Pool, places: Places | undefined, frame: Frame | undefined) {
    this.pool = pool
    this.places = places
    this.frame = frame
    this.isParked = places?.isFull === true
    if (!this.isParked) places?.held.add(this)
  }

  get waitsFor(): WaitedFor {
    return this.isParked && this.places !== undefined ? this.places : this.pool
  }

  holds(): object[] {
    const around: object[] = []
    for (let at = this.frame; at !== undefined; at = at.outer) around.push(at)
    return this.places === undefined || this.isParked ? around : [...around, this]
  }
}

interface Graph {
  readonly frames: readonly Frame[]
  readonly loose: readonly Held[]
  readonly callers: readonly Caller[]
}

function build(numbers: Drawn): Graph {
  const pools = numbers.pools.map(({ limit, share }) => new Pool(limit, share))
  const lend = <T extends object>(at: number, scope: number, more: T): (Held & T) | undefined => {
    const pool = pools[at]
    const places = pool?.scopes[scope]
    if (pool === undefined || pool.isFull || places?.isFull === true) return undefined
    const held = { pool, places, ...more }
    pool.held.add(held)
    places?.held.add(held)
    return held
  }
  const frames: Frame[] = []
  for (const { pool, scope, around } of numbers.frames) {
    const frame = lend(pool, scope, { outer: frames[around] })
    if (frame !== undefined) frames.push(frame)
  }
  const loose = numbers.loose.flatMap(({ pool, scope }) => lend(pool, scope, {}) ?? [])
  const callers = numbers.callers.flatMap(({ pool: at, scope, frame: inside }) => {
    const [pool, frame] = [pools[at], frames[inside]]
    const caller = pool === undefined ? undefined : new Caller(pool, pool.scopes[scope], frame)
    // Whoever waits and keeps nobody from anything is nobody's trouble.
    return caller === undefined || caller.holds().length === 0 ? [] : caller
  })
  return { frames, loose, callers }
}

/** Plays every order in which callers can be served and connections given back; returns who is served in none of them. */
function neverServed({ frames, loose, callers }: Graph): Caller[] {
  const served = new Set<Caller>()
  const met = new Set<string>()
  const isInside = (caller: Caller, frame: Frame): boolean => caller.holds().includes(frame)
  const play = (parked: readonly Caller[], queued: readonly Caller[], lent: readonly Held[]): void => {
    const key = [parked.map((one) => callers.indexOf(one)), queued.map((one) => callers.indexOf(one))]
    const state = JSON.stringify([
      ...key,
      frames.map((one) => lent.includes(one)),
      loose.map((one) => lent.includes(one)),
    ])
    if (met.has(state)) return
    met.add(state)
    const waiting = [...parked, ...queued]
    for (const caller of callers) if (!waiting.includes(caller)) served.add(caller)
    const inUse = ({ pool }: Held): number => lent.filter((one) => one.pool === pool).length
    const inPlace = ({ places }: Held): number => [...lent, ...queued].filter((one) => one.places === places).length
    for (const caller of queued) if (inUse(caller) < caller.pool.limit) play(parked, without(queued, caller), lent)
    for (const caller of parked) {
      if (inPlace(caller) < (caller.places?.limit ?? 0)) play(without(parked, caller), [...queued, caller], lent)
    }
    for (const one of lent) {
      const isBusy = waiting.some((caller) => isInside(caller, one as Frame))
      if (!isBusy) play(parked, queued, without(lent, one))
    }
  }
  const parked = callers.filter(({ isParked }) => isParked)
  play(
    parked,
    callers.filter(({ isParked }) => !isParked),
    [...frames, ...loose],
  )
  return callers.filter((caller) => !served.has(caller))
}

function without<T>(all: readonly T[], one: T): T[] {
  return all.filter((other) => other !== one)
}

function groupsOf(callers: readonly Caller[]): ReadonlyArray<readonly Caller[]> {
  const graph = new WaitGraph<Caller>()
  for (const caller of callers) graph.add(caller)
  return graph.deadlocked()
}

const NUM_RUNS = { numRuns: 2_000, ...(process.env['CI'] === undefined ? {} : { seed: 20_261_122 }) }

describe('those are deadlocked who are served in no order in which things can go on,', () => {
  it('whether they wait for connections or for a place in their scope', () => {
    let found = 0
    let foundParked = 0
    fc.assert(
      fc.property(drawn, (numbers) => {
        const graph = build(numbers)
        const stuck = neverServed(graph)
        if (stuck.length > 0) found += 1
        if (stuck.some(({ isParked }) => isParked)) foundParked += 1
        const told = groupsOf(graph.callers).flat()
        expect(graph.callers.filter((caller) => told.includes(caller))).toEqual(stuck)
        expect(told).toHaveLength(stuck.length)
      }),
      NUM_RUNS,
    )
    // Else the oracle would have had nothing to say.
    expect(found).toBeGreaterThan(100)
    expect(foundParked).toBeGreaterThan(50)
  })

  it('in groups, of which none has anything to do with the other', () => {
    let several = 0
    fc.assert(
      fc.property(drawn, drawn, (...numbers) => {
        const [one, other] = numbers.map((graph) => build(graph).callers)
        const apart = [...groupsOf(one ?? []), ...groupsOf(other ?? [])]
        if (apart.length > 1) several += 1
        expect(groupsOf([...(one ?? []), ...(other ?? [])])).toEqual(apart)
        for (const group of apart) expect(groupsOf(group)).toEqual([group])
      }),
      NUM_RUNS,
    )
    expect(several).toBeGreaterThan(10)
  })
})

it('when one of them gives up, the others are looked at anew', () => {
  const pool = new Pool(2, 0)
  const frames = [0, 1].map((): Frame => ({ pool, places: undefined, outer: undefined }))
  for (const frame of frames) pool.held.add(frame)
  const callers = frames.map((frame) => new Caller(pool, undefined, frame))
  const graph = new WaitGraph<Caller>()
  for (const caller of callers) graph.add(caller)
  expect(graph.deadlocked()).toEqual([callers])

  graph.remove(callers[1] as Caller)

  expect(graph.deadlocked()).toEqual([])
})

it('through two pools, each of whose connections is held by who waits for the other, both are deadlocked', () => {
  const [orders, users] = [new Pool(1, 0), new Pool(1, 0)]
  const [first, second] = [orders, users].map((pool): Frame => ({ pool, places: undefined, outer: undefined }))
  orders.held.add(first as Frame)
  users.held.add(second as Frame)
  const callers = [new Caller(users, undefined, first), new Caller(orders, undefined, second)]

  expect(groupsOf(callers)).toEqual([callers])
})
