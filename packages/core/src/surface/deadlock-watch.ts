import type { Holder } from '../errors/holder.js'
import { type DeadlockHolder, SelfDeadlockError } from '../errors/self-deadlock-error.js'
import { CallSite } from '../lease/call-sites.js'
import { describeLending } from '../lease/describe-lending.js'
import type { Leases } from '../lease/leases.js'
import type { Connections } from '../pool/connections.js'
import type { Waiter } from '../pool/waiter.js'
import type { Site } from '../ports/owner.js'
import { type Frame, heldAround, heldUntilServed } from '../scope/frame.js'
import { type NamedHolder, type WaitedFor, WaitGraph } from '../scope/wait-graph.js'
import type { Asked } from './asked.js'
import { PendingLease } from './pending-lease.js'

/** A pool whose callers wait for each other. */
interface WaitedForPool extends WaitedFor {
  /** For how long nothing has run, and nobody has come or gone. */
  readonly stillMs: number
  /** Somebody was refused: the others may go on now. */
  stirred(): void
}

/** One who waits while a frame around it holds connections. */
interface Caller {
  readonly pool: WaitedForPool
  readonly frame: Frame
  readonly label: string
  readonly site: Site | undefined
  /** What keeps it out of all that is there. */
  refuse(isAlone: boolean, holders: readonly DeadlockHolder[]): void
}

const NONE: readonly Holder[] = []

/** Also where deadlocks are left to deadlines: who has gone must not be kept for ever. */
const MOST_BETWEEN_LOOKS_MS = 1_000

/** Of all pools of the process: a deadlock may lead through several. */
const graph = new WaitGraph<Caller>()

/**
 * Refuses callers who could never be served because they, and others like them, hold all connections themselves. It is asked
 * when somebody has to wait, and looks again while callers wait who hold something: as long as none does, it costs nothing.
 */
export class DeadlockWatch<Client> implements WaitedForPool {
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #poolId: number
  readonly #callers = new Map<Waiter<Client>, Caller>()
  #isLooking = false
  #stirredAt = Number.NEGATIVE_INFINITY

  constructor(connections: Connections<Client>, leases: Leases<Client>, poolId: number) {
    this.#connections = connections
    this.#leases = leases
    this.#poolId = poolId
  }

  /** Refuses, at once, who would wait for what only its own calls can give back. To be called before it waits. */
  refuseAlone({ label, site }: Asked, frame: Frame): void {
    const held = heldUntilServed(frame, this.#poolId)
    if (held.size < this.#limit) return
    if (this.#leases.observe) {
      this.#leases.wouldRefuseCaller(label, 'its own calls hold all connections')
      return
    }
    const asked = { label, site: (site ?? this.#siteBelow(this.refuseAlone))?.place }
    const holders = this.#leases.lendings.filter(({ connection }) => held.has(connection))
    throw this.#error(
      label,
      true,
      holders.map((holder) => deadlockHolder(holder, asked)),
    )
  }

  /** `waiter` waits. Where it holds something, it is looked after until it is served or has gone. */
  waits(waiter: Waiter<Client>, { label, site }: Asked, frame: Frame): void {
    if (heldAround(frame).size === 0) return
    const caller: Caller = {
      pool: this,
      frame,
      label,
      site: site ?? this.#siteBelow(this.waits),
      refuse: (isAlone, holders) => {
        if (this.#connections.withdraw(waiter)) waiter.refuse(this.#error(label, isAlone, holders))
      },
    }
    this.#callers.set(waiter, caller)
    graph.add(caller)
    this.#lookLater()
  }

  /** What `waiter` probably holds itself: leases of the calls around it, and of its scope. */
  heldBy(waiter: Waiter<Client>): readonly Holder[] {
    const frame = this.#callers.get(waiter)?.frame
    const scope = waiter instanceof PendingLease ? waiter.scope : undefined
    if (frame === undefined && scope === undefined) return NONE
    const held = heldAround(frame, this.#poolId)
    const now = this.#leases.now()
    return this.#leases.lendings
      .filter(({ connection, terms }) => held.has(connection) || (scope !== undefined && terms.holder === scope))
      .map((lending) => describeLending(lending, now))
  }

  allHeld(): ReadonlyMap<object, NamedHolder> | undefined {
    const { slots } = this.#connections
    if (slots.lent < this.#limit || slots.lent < slots.total) return undefined
    return new Map(this.#leases.lendings.map((lending) => [lending.connection, lending]))
  }

  get stillMs(): number {
    let since = this.#stirredAt
    for (const { connection, since: lentAt } of this.#leases.lendings) {
      const { isQuiet, answeredAt } = connection.ledger
      if (!isQuiet) return 0
      since = Math.max(since, lentAt, answeredAt ?? lentAt)
    }
    return this.#leases.now() - since
  }

  stirred(): void {
    this.#stirredAt = this.#leases.now()
  }

  /** As many as there can be; what the server takes away for a while comes back. */
  get #limit(): number {
    return this.#connections.max + this.#connections.options.overflow
  }

  #lookLater(): void {
    const { agenda, options } = this.#connections
    if (this.#isLooking) return
    this.#isLooking = true
    agenda.at(this.#leases.now() + Math.min(options.deadlockGraceMs, MOST_BETWEEN_LOOKS_MS), () => {
      this.#isLooking = false
      this.#look()
    })
  }

  #look(): void {
    for (const [waiter, caller] of this.#callers) {
      if (waiter.queued) continue
      this.#callers.delete(waiter)
      graph.remove(caller)
    }
    if (this.#callers.size === 0) return
    this.#refuseLast()
    this.#lookLater()
  }

  /** Refuses the one who came last of those who wait for each other, if this pool has any. */
  #refuseLast(): void {
    const stuck = graph.deadlocked()
    const last = stuck.at(-1)
    const pools = new Set(stuck.map(({ pool }) => pool))
    if (last === undefined || !pools.has(this)) return
    const { deadlockGraceMs, observe } = this.#connections.options
    for (const pool of pools) if (pool.stillMs < deadlockGraceMs) return
    for (const pool of pools) pool.stirred()
    graph.remove(last)
    if (observe) this.#leases.wouldRefuseCaller(last.label, 'everybody who holds a connection waits for one more')
    else last.refuse(stuck.length === 1, holdersOf(pools, stuck))
  }

  #error(label: string, isAlone: boolean, holders: readonly DeadlockHolder[]): SelfDeadlockError {
    // Next time all of their sites will be known.
    for (const holder of holders) this.#leases.sites.suspect(holder.label)
    return new SelfDeadlockError({ pool: this.#leases.pool, label, limit: this.#limit, isAlone, holders })
  }

  /** Who waits has time for it. */
  #siteBelow(below: (...args: never[]) => unknown): Site | undefined {
    return this.#connections.options.captureSites === 'off' ? undefined : new CallSite(below)
  }
}

function holdersOf(pools: Iterable<WaitedForPool>, stuck: readonly Caller[]): DeadlockHolder[] {
  return Array.from(pools).flatMap((pool) =>
    Array.from(pool.allHeld() ?? []).map(([connection, holder]) => {
      const caller = stuck.find(({ frame }) => heldAround(frame).has(connection))
      return deadlockHolder(holder, { label: caller?.label ?? holder.label, site: caller?.site?.place })
    }),
  )
}

function deadlockHolder(holder: NamedHolder, asked: NamedHolder): DeadlockHolder {
  return { label: holder.label, site: holder.site, askedLabel: asked.label, askedSite: asked.site }
}
