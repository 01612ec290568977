import { AssertionError } from 'node:assert'
import { describeHolder, type Holder } from '../errors/holder.js'
import type { LeakSite } from '../lease/leak-sites.js'
import type { PoolSnapshot } from '../surface/snapshot.js'
import { poolOf } from './pool-of.js'

/** What is asked of a pool. `Pool` is one, whatever its client is. */
export interface LeakingPool {
  readonly name: string
  /** Resolves when no connection that was given back is being cleaned or closed any more. */
  readonly recycled: Promise<void>
  snapshot(): PoolSnapshot
  on(event: 'release', listener: () => void): () => void
}

/** A core pool, or a driver's facade, which has one as `leases`. */
export type LeakSource = LeakingPool | { readonly leases: LeakingPool }

export interface ExpectNoLeaksOptions {
  /** How long leases that are still held may take to come back, in milliseconds. Default 1,000; nobody waits if none is. */
  readonly withinMs?: number
}

/** Of this moment: what a test puts in their place later must not hold this one up. */
const { setTimeout: later, clearTimeout: never } = globalThis

/** How often each site had leaked when a pool was last looked at. */
const seen = new WeakMap<LeakingPool, ReadonlyMap<string, number>>()

/**
 * For the end of a test, in whatever runner: `await expectNoLeaks(pool)`. Waits until what was given back is fit for its next
 * owner, and throws if somebody still holds a connection, or if a leak has been found since the pool was last looked at here:
 * what its scope left over, what was forgotten, what was overdue. Leases with `hold: 'long'` are meant to be held.
 *
 * With `captureSites: 'always'` on the pool the error names the line that asked for each.
 *
 * @throws {AssertionError} naming each holder and each leak.
 * @throws {InvalidOptionsError} for what is no pool of ours.
 */
export async function expectNoLeaks(source: LeakSource, options: ExpectNoLeaksOptions = {}): Promise<void> {
  const pool = poolOf('expectNoLeaks', source, ['snapshot', 'on'])
  await allBack(pool, options.withinMs ?? 1_000)
  await pool.recycled
  const held = heldNow(pool)
  const leaked = leakedSince(seen.get(pool), pool)
  seen.set(pool, countsOf(pool))
  if (held.length + leaked.length === 0) return
  throw new AssertionError({
    message: describe(pool.name, held, leaked),
    actual: [...held, ...leaked],
    expected: [],
    operator: 'expectNoLeaks',
    stackStartFn: expectNoLeaks,
  })
}

function heldNow(pool: LeakingPool): readonly Holder[] {
  return pool.snapshot().holders.filter(({ isLong }) => !isLong)
}

/** Resolves when nobody holds a connection, and no later than in `withinMs`. */
async function allBack(pool: LeakingPool, withinMs: number): Promise<void> {
  if (heldNow(pool).length === 0) return
  let leave = (): void => {}
  await new Promise<void>((resolve) => {
    const timer = later(resolve, withinMs)
    // It is told just before the connection is given back.
    const off = pool.on('release', () => queueMicrotask(() => heldNow(pool).length === 0 && resolve()))
    leave = () => {
      never(timer)
      off()
    }
  })
  leave()
}

function keyOf({ kind, label, site }: LeakSite): string {
  return `${kind}\n${label}\n${site ?? ''}`
}

function countsOf(pool: LeakingPool): ReadonlyMap<string, number> {
  return new Map(pool.snapshot().leakSites.map((leak) => [keyOf(leak), leak.count]))
}

function leakedSince(before: ReadonlyMap<string, number> | undefined, pool: LeakingPool): LeakSite[] {
  return pool
    .snapshot()
    .leakSites.map((leak) => ({ ...leak, count: leak.count - (before?.get(keyOf(leak)) ?? 0) }))
    .filter(({ count }) => count > 0)
}

function describe(pool: string, held: readonly Holder[], leaked: readonly LeakSite[]): string {
  const lines = [
    ...held.map((holder) => {
      const statement = holder.statement === undefined ? '' : `, last statement: ${holder.statement}`
      return `still held: ${describeHolder(holder)}${statement}`
    }),
    ...leaked.map(({ kind, label, site, count }) => {
      const times = count === 1 ? '' : ` (${count} times)`
      return `${kind}: ${label}${site === undefined ? '' : ` ${site}`}${times}`
    }),
  ]
  const isUnplaced = [...held, ...leaked].some(({ site }) => site === undefined)
  const hint = isUnplaced
    ? ["With captureSites: 'always' on the pool, each is named with the line that asked for it."]
    : []
  return [`pool "${pool}" has leaked:`, ...lines.map((line) => `  ${line}`), ...hint].join('\n')
}
