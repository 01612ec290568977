import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import {
  NETWORK_TROUBLES,
  playTrouble,
  SERVER_TROUBLES,
  SteadyLoad,
  type Trouble,
  WRITTEN_ROWS,
} from '@leasehold/testkit/faults'
import { type RestartablePostgres, startRestartablePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { expectNothingLost } from '../faults/expect-nothing-lost.js'
import { type FaultStage, LONGEST_MS, openFaultStage } from '../faults/open-fault-stage.js'

/** `LEASEHOLD_SOAK_SECONDS=600 npm run test:long` for a longer one; `LEASEHOLD_SOAK_SEED` for the same once more. */
const SECONDS = Number(process.env['LEASEHOLD_SOAK_SECONDS'] ?? (process.env['CI'] ? 90 : 150))
const SEED = Number(process.env['LEASEHOLD_SOAK_SEED'] ?? Date.now() % 1_000_000)
const TROUBLES = [...NETWORK_TROUBLES, ...SERVER_TROUBLES]
/** By then every ORM has made and cached what it makes and caches. */
const WARM_ROUNDS = 8
/** Of so many the least counts, at the beginning and at the end. */
const FEW = 3
const MAX_GROWTH_BYTES = 6_000_000

/** What a process that leaks has more of. */
interface Footprint {
  readonly heapBytes: number
  readonly handles: number
  readonly timers: number
  readonly listeners: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let server: RestartablePostgres
let proxy: FaultProxy
let stage: FaultStage

beforeEach(async () => {
  server = await startRestartablePostgres({ max_connections: '14', superuser_reserved_connections: '1' })
  proxy = await startFaultProxy(server)
  stage = await openFaultStage(server, proxy)
  await stage.ask(WRITTEN_ROWS)
  await stage.load.stop()
})

afterEach(async () => {
  await stage.close()
  await proxy.close()
  await server.stop()
})

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Taken while nobody asks for anything and no connection is open. */
async function footprint(): Promise<Footprint> {
  stage.pool.reconnect()
  await expect.poll(() => stage.pool.snapshot().connections.total, { timeout: 5_000 }).toBe(0)
  await expect.poll(() => proxy.lines.length, { timeout: 5_000 }).toBe(0)
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  const resources = process.getActiveResourcesInfo()
  const timers = resources.filter((kind) => kind === 'Timeout' || kind === 'Immediate').length
  const emitters = [process, stage.pool]
  const listeners = emitters.flatMap((emitter) =>
    emitter.eventNames().map((name) => emitter.listenerCount(name as string)),
  )
  return {
    heapBytes: process.memoryUsage().heapUsed,
    handles: resources.length - timers,
    timers,
    listeners: listeners.reduce((sum, count) => sum + count, 0),
  }
}

function leastOf(footprints: readonly Footprint[]): Footprint {
  const least = (of: keyof Footprint): number => Math.min(...footprints.map((footprint) => footprint[of]))
  return {
    heapBytes: least('heapBytes'),
    handles: least('handles'),
    timers: least('timers'),
    listeners: least('listeners'),
  }
}

async function playRound(trouble: Trouble): Promise<void> {
  await stage.ask('truncate written_rows')
  const load = new SteadyLoad(stage.writers)
  try {
    const { longestMs, notBack } = await playTrouble(trouble, load, stage)
    expect(notBack).toBeUndefined()
    expect(longestMs).toBeLessThan(LONGEST_MS)
  } finally {
    await load.stop()
  }
  await expectNothingLost({ ...stage, load })
}

test(
  `under all faults at random (seed ${SEED}) nothing is lost, and memory, handles, listeners and timers stay flat`,
  async () => {
    const random = randomFrom(SEED)
    const until = performance.now() + SECONDS * 1_000
    const footprints: Footprint[] = []
    const played: string[] = []
    for (let round = 0; round < WARM_ROUNDS + 2 * FEW || performance.now() < until; round++) {
      const trouble = TROUBLES[Math.floor(random() * TROUBLES.length)] as Trouble
      played.push(trouble.name)
      try {
        await playRound(trouble)
      } catch (cause) {
        throw new Error(`in round ${round}, after ${played.join('; ')}`, { cause })
      }
      if (round >= WARM_ROUNDS) footprints.push(await footprint())
    }
    // The least of a few: what a collection finds depends on the moment, and so does what a socket's end leaves behind it.
    const before = leastOf(footprints.slice(0, FEW))
    const after = leastOf(footprints.slice(-FEW))
    expect({ ...after, heapBytes: after.heapBytes - before.heapBytes }).toEqual({
      ...before,
      heapBytes: expect.toSatisfy((grown: number) => grown < MAX_GROWTH_BYTES) as unknown,
    })
  },
  (SECONDS + 120) * 1_000,
)
