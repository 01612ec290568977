import { PoolClosedError } from '../errors/pool-closed-error.js'
import { ScopeClosedError } from '../errors/scope-closed-error.js'
import type { CallSites } from '../lease/call-sites.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import { checkAcquireRequest } from '../options/check-acquire-request.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Connections } from '../pool/connections.js'
import type { Site } from '../ports/owner.js'
import { currentContext } from '../scope/context.js'
import { Asked } from './asked.js'
import type { LateAcquires } from './late-acquires.js'
import { LeaseSettings } from './lease-settings.js'
import type { Refusals } from './refusals.js'

export interface AskingParts<Client> {
  /** The pool itself: what scopes declare may differ from pool to pool. */
  readonly pool: object
  readonly options: ResolvedPoolOptions<Client>
  readonly sites: CallSites
  readonly refusals: Refusals<Client>
  readonly late: LateAcquires
  readonly connections: Connections<Client>
}

const NO_REQUEST: AcquireRequest = Object.freeze({})
const NO_LABEL = 'outside any scope'

/** Works the caller's scope, its place in the code and the defaults into what it asks for. */
export class Asking<Client> {
  readonly #parts: AskingParts<Client>
  readonly #options: ResolvedPoolOptions<Client>
  /** Null: from a line that is not to be captured, or cannot be any more. */
  #calledFrom: Site | null | undefined
  #checked: AcquireRequest = NO_REQUEST

  constructor(parts: AskingParts<Client>) {
    this.#parts = parts
    this.#options = parts.options
  }

  /**
   * Throws what can be refused at once.
   *
   * @param entry the method that was called: the call site is below it.
   */
  ask(request: AcquireRequest, entry: (...args: never[]) => unknown): Asked {
    if (request !== this.#checked) {
      checkAcquireRequest(request)
      // A request that cannot change need not be looked at again: a facade sends the same one for every query.
      if (Object.isFrozen(request)) this.#checked = request
    }
    this.refuseWhenClosed()
    const { pool, late, refusals } = this.#parts
    const now = this.#options.clock.now()
    // A lease meant to be held for long is nobody's request: it outlives the scope in which it happens to be asked for.
    const context = currentContext()
    let scope = request.hold === 'long' ? undefined : context?.scope
    let label = request.label ?? scope?.label ?? NO_LABEL
    const declares =
      scope?.settings === undefined && request.settings === undefined && request.defaultSettings === undefined
        ? undefined
        : new LeaseSettings(scope, pool, request)
    const site = 'site' in request ? request.site : this.#siteOf(label, entry)
    if (scope !== undefined && !scope.isOpen) {
      if (this.#options.lateAcquire === 'refuse' && !this.#options.observe) {
        throw new ScopeClosedError({ label: scope.label, pool: this.#options.name, cause: scope.aborted?.reason })
      }
      late.report(label, site, entry)
      label = `${label} (after its scope closed)`
      scope = undefined
    }
    if (scope?.aborted !== undefined) throw refusals.abandon(scope.aborted, scope.label, now)
    if (request.signal?.aborted === true) throw refusals.abort(request.signal.reason, now)
    const mode = scope?.mode ?? this.#options.mode
    return new Asked(request, label, site, mode, scope, now, false, pool, declares, context?.frame)
  }

  refuseWhenClosed(): void {
    const { is } = this.#parts.connections.state
    if (is === 'closing' || is === 'closed') throw new PoolClosedError(this.#options.name)
  }

  /** @see Pool.captureSite */
  captureSite(below: (...args: never[]) => unknown): Site | undefined {
    return this.#parts.sites.capture(currentContext()?.scope?.label ?? NO_LABEL, below)
  }

  /** @see Pool.calledFrom */
  calledFrom<R>(site: Site | undefined, work: () => R): R {
    const outer = this.#calledFrom
    this.#calledFrom = site ?? null
    try {
      return work()
    } finally {
      this.#calledFrom = outer
    }
  }

  #siteOf(label: string, entry: (...args: never[]) => unknown): Site | undefined {
    const calledFrom = this.#calledFrom
    return calledFrom === undefined ? this.#parts.sites.capture(label, entry) : (calledFrom ?? undefined)
  }
}
