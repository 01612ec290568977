import { type DeadlockHolder, SelfDeadlockError } from '../errors/self-deadlock-error.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import { CallSite } from '../lease/call-sites.js'
import type { Leases } from '../lease/leases.js'
import type { Lending } from '../lease/lending.js'
import type { Connections } from '../pool/connections.js'
import type { Waiter } from '../pool/waiter.js'
import type { Site } from '../ports/owner.js'
import { type Frame, heldAround, heldUntilServed } from '../scope/frame.js'
import { type NamedHolder, type WaitedFor, type WaitingCaller, WaitGraph } from '../scope/wait-graph.js'
import type { Asked } from './asked.js'
import { PendingLease } from './pending-lease.js'
import type { PlacesOfScope, ScopePlace } from './scope-places.js'

/** What callers wait for: the connections of a pool, or those that one scope may have of it. */
interface Contended<Client> extends WaitedFor {
  /** What of it is lent. */
  readonly lendings: ReadonlyArray<Lending<Client>>
  /** When somebody was refused, so that the others may go on. */
  stirredAt: number
}

/** One who waits, and keeps others from something meanwhile. */
interface Caller extends WaitingCaller {
  readonly frame: Frame | undefined
  readonly label: string
  readonly site: Site | undefined
  /** Of its pool. */
  readonly watch: object
  /** Whether it was neither served nor has gone. */
  readonly isWaiting: boolean
  /** For how long nothing of what it waits for has run or changed hands. */
  readonly stillMs: number
  /** Somebody of its group was refused: it may go on now. */
  stirred(): void
  /** What keeps it out of all that is there. */
  refuse(isAlone: boolean, holders: readonly DeadlockHolder[]): void
}

/** Also where deadlocks are left to deadlines: who has gone must not be kept for ever. */
const MOST_BETWEEN_LOOKS_MS = 1_000

/** Of all pools of the process: a deadlock may lead through several. */
const graph = new WaitGraph<Caller>()

/**
 * Refuses callers who could never be served because they, and others like them, hold all that they wait for themselves. It is
 * asked when somebody has to wait, and looks again while callers wait who hold something: as long as none does, it costs
 * nothing.
 */
export class DeadlockWatch<Client> implements Contended<Client> {
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #poolId: number
  /** By what they wait with: in the queue, or in the line of their scope. */
  readonly #callers = new Map<object, Caller>()
  #isLooking = false
  stirredAt = Number.NEGATIVE_INFINITY

  constructor(connections: Connections<Client>, leases: Leases<Client>, poolId: number) {
    this.#connections = connections
    this.#leases = leases
    this.#poolId = poolId
  }

  /** Refuses, at once, who would wait for what only its own calls can give back. To be called before it waits. */
  refuseAlone(asked: Asked, frame: Frame): void {
    const held = heldUntilServed(frame, this.#poolId)
    if (held.size >= this.#limit) this.#refuseAtOnce(asked, held, this, this.refuseAlone)
  }

  /** `waiter` waits, with a place in its scope where it needs one. If it holds something, it is looked after until it is served or has gone. */
  waits(waiter: Waiter<Client>, asked: Asked, place: object | undefined): void {
    if (place === undefined && heldAround(asked.frame).size === 0) return
    this.#lookAfter(waiter, asked, {
      waitsFor: this,
      place,
      site: asked.site ?? this.#siteBelow(this.waits),
      isWaiting: () => waiter.queued,
      refuse: (error) => {
        if (this.#connections.withdraw(waiter)) waiter.refuse(error)
      },
    })
  }

  /**
   * `place` stands in the line of its scope. Throws at once where only its own calls could give it back; otherwise it is looked
   * after as well.
   */
  waitsInScope(place: ScopePlace<Lending<Client>>, asked: Asked): void {
    const { frame } = asked
    const { among } = place
    if (frame === undefined || heldAround(frame).size === 0) return
    const own = heldUntilServed(frame, this.#poolId)
    const held = new Set(among.lendings.map(({ connection }) => connection).filter((one) => own.has(one)))
    if (held.size >= among.most) this.#refuseAtOnce(asked, held, among, this.waitsInScope)
    this.#lookAfter(place, asked, {
      waitsFor: among,
      place: undefined,
      site: asked.site ?? this.#siteBelow(this.waitsInScope),
      isWaiting: () => place.isWaiting,
      refuse: (error) => place.refuse(error),
    })
  }

  /** What `waiter` probably holds itself: leases of the calls around it, and of its scope. */
  heldBy(waiter: Waiter<Client>): ReadonlyArray<Lending<Client>> {
    const frame = this.#callers.get(waiter)?.frame
    const scope = waiter instanceof PendingLease ? waiter.scope : undefined
    if (frame === undefined && scope === undefined) return []
    const held = heldAround(frame, this.#poolId)
    return this.lendings.filter(
      ({ connection, terms }) => held.has(connection) || (scope !== undefined && terms.holder === scope),
    )
  }

  /** The pool has closed, and nobody waits any more: the graph, which all pools share, must not keep it. */
  close(): void {
    for (const caller of this.#callers.values()) graph.remove(caller)
    this.#callers.clear()
  }

  get lendings(): ReadonlyArray<Lending<Client>> {
    return this.#leases.lendings
  }

  allHeld(): ReadonlyMap<object, NamedHolder> | undefined {
    const { slots } = this.#connections
    if (slots.lent < this.#limit || slots.lent < slots.total) return undefined
    return new Map(this.lendings.map((lending) => [lending.connection, lending]))
  }

  /** As many as there can be; what the server takes away for a while comes back. */
  get #limit(): number {
    return this.#connections.max + this.#connections.options.overflow
  }

  #refuseAtOnce(
    asked: Asked,
    held: ReadonlySet<object>,
    waitsFor: Contended<Client>,
    below: (...args: never[]) => unknown,
  ): void {
    if (this.#leases.observe) {
      this.#leases.wouldRefuseCaller(asked.label, 'its own calls hold all connections')
      return
    }
    const place = { label: asked.label, site: (asked.site ?? this.#siteBelow(below))?.place }
    const holders = waitsFor.lendings.filter(({ connection }) => held.has(connection))
    throw this.#error(
      asked.label,
      waitsFor,
      true,
      holders.map((holder) => deadlockHolder(holder, place)),
    )
  }

  #lookAfter(
    key: object,
    { label, frame }: Asked,
    parts: {
      readonly waitsFor: Contended<Client>
      readonly place: object | undefined
      readonly site: Site | undefined
      readonly isWaiting: () => boolean
      readonly refuse: (error: LeaseholdError) => void
    },
  ): void {
    const { waitsFor, place, isWaiting } = parts
    const stillMs = (): number => this.#stillMs(waitsFor)
    const caller: Caller = {
      watch: this,
      frame,
      label,
      site: parts.site,
      waitsFor,
      holds: () => (place === undefined ? heldAround(frame) : [...heldAround(frame), place]),
      get isWaiting() {
        return isWaiting()
      },
      get stillMs() {
        return stillMs()
      },
      stirred: () => {
        waitsFor.stirredAt = this.#leases.now()
      },
      refuse: (isAlone, holders) => {
        const why = 'everybody who holds a connection waits for one more'
        if (this.#leases.observe) this.#leases.wouldRefuseCaller(label, why)
        else parts.refuse(this.#error(label, waitsFor, isAlone, holders))
      },
    }
    this.#callers.set(key, caller)
    graph.add(caller)
    this.#lookLater()
  }

  #stillMs({ stirredAt, lendings }: Contended<Client>): number {
    let since = stirredAt
    for (const { connection, since: lentAt } of lendings) {
      const { isQuiet, answeredAt } = connection.ledger
      if (!isQuiet) return 0
      since = Math.max(since, lentAt, answeredAt ?? lentAt)
    }
    return this.#leases.now() - since
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
      if (caller.isWaiting) continue
      this.#callers.delete(waiter)
      graph.remove(caller)
    }
    if (this.#callers.size === 0) return
    for (const group of graph.deadlocked()) if (group.some(({ watch }) => watch === this)) this.#refuseLast(group)
    this.#lookLater()
  }

  /** Refuses the one who came last of those who wait for each other, if nothing moves. */
  #refuseLast(stuck: readonly Caller[]): void {
    // Who has nothing but a place would give nobody a connection.
    const last = stuck.findLast(({ frame }) => heldAround(frame).size > 0)
    const { deadlockGraceMs } = this.#connections.options
    if (last === undefined || stuck.some(({ stillMs }) => stillMs < deadlockGraceMs)) return
    for (const caller of stuck) caller.stirred()
    graph.remove(last)
    last.refuse(stuck.length === 1, holdersOf(stuck))
  }

  #error(
    label: string,
    waitsFor: Contended<Client>,
    isAlone: boolean,
    holders: readonly DeadlockHolder[],
  ): SelfDeadlockError {
    // Next time all of their sites will be known.
    for (const holder of holders) this.#leases.sites.suspect(holder.label)
    const places = waitsFor === this ? undefined : (waitsFor as PlacesOfScope<Lending<Client>>)
    return new SelfDeadlockError({
      pool: this.#leases.pool,
      label,
      limit: places?.most ?? this.#limit,
      scope: places?.label,
      isAlone,
      holders,
    })
  }

  /** Who waits has time for it. */
  #siteBelow(below: (...args: never[]) => unknown): Site | undefined {
    return this.#connections.options.captureSites === 'off' ? undefined : new CallSite(below)
  }
}

/** Of a connection that is held and of a place in the scope of the same lease, both are told as one. */
function holdersOf(stuck: readonly Caller[]): DeadlockHolder[] {
  const held = new Map(stuck.flatMap(({ waitsFor }) => [...(waitsFor.allHeld() ?? [])]))
  return Array.from(held).flatMap(([connection, holder]) => {
    if (holder === undefined) return []
    const caller = stuck.find(({ frame }) => heldAround(frame).has(connection))
    return deadlockHolder(holder, { label: caller?.label ?? holder.label, site: caller?.site?.place })
  })
}

function deadlockHolder(holder: NamedHolder, asked: NamedHolder): DeadlockHolder {
  return { label: holder.label, site: holder.site, askedLabel: asked.label, askedSite: asked.site }
}
