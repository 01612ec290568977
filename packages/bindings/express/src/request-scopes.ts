import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  currentScope,
  InvalidOptionsError,
  openScope,
  openScopeInPlaceOf,
  type PoolSource,
  RequestLeasehold,
  type RouteLeasehold,
  runOutsideContext,
  type Scope,
  type ScopeOptions,
} from '@leasehold/core'
import type { Closing } from './closing.js'
import { type GivenLabel, labelOfRequest } from './label-of-request.js'
import { RoutePattern } from './route-pattern.js'

/** What a scope of a request is opened with, where the one before says otherwise or nothing. */
export type ScopeWishes = Omit<RouteLeasehold, 'label'> & {
  readonly label?: GivenLabel
  /** What a request declares as settings. */
  readonly declares?: ((request: IncomingMessage) => Pick<ScopeOptions, 'settings' | 'poolSettings'>) | undefined
}

// Two copies of this package, its ESM and its CommonJS build, must find each other's.
const OWN = Symbol.for('@leasehold/express/request-scopes/1')

type RequestWithOwn = IncomingMessage & { [OWN]?: RequestScopes }

/** The scopes of one request: the one it begins with, and those that routers on its way ask for. */
export class RequestScopes {
  readonly #request: IncomingMessage
  readonly #pattern: RoutePattern
  /** Around the request, where one is served inside another. */
  readonly #outer: Scope | undefined
  readonly #leasehold: RequestLeasehold
  readonly #closings = new Set<Closing>()
  #pools: Readonly<Record<string, PoolSource>> = {}
  #label: GivenLabel
  #isOff = false
  #hasEnded = false

  /** Opens the first scope of a request. */
  constructor(request: IncomingMessage, response: ServerResponse, wishes: ScopeWishes) {
    const { label, mode, priority, deadlineMs, cancelOnAbort, declares } = wishes
    this.#request = request
    this.#label = label
    this.#outer = currentScope()
    this.#pattern = new RoutePattern(request)
    const options = { label: this.#labelNow(), mode, priority, deadlineMs, cancelOnAbort }
    const scope = openScope({ ...options, ...declares?.(request) })
    this.#leasehold = new RequestLeasehold(scope, request, response, () => this.#end())
    Object.defineProperty(request, OWN, { value: this })
    Object.defineProperty(request, 'leasehold', { get: () => this.#offered(), configurable: true, enumerable: true })
    // What reads the body listens to the request, whose events come from the socket, outside every scope. A parser that
    // calls `next` from one of them would take the handlers with it.
    this.#emitInScope(request, (event) => event !== 'close')
    // And a source that is piped into the answer reads on when there is room again: for a pipelined request that is told
    // in the scope of the one before it.
    this.#emitInScope(response, (event) => event === 'drain')
  }

  /** Those of a request, if it has been given any. */
  static of(request: IncomingMessage): RequestScopes | undefined {
    return (request as RequestWithOwn)[OWN]
  }

  /** Has a service wait for this request before it closes its pools. False if it does so already. */
  join(closing: Closing, response: ServerResponse): boolean {
    if (this.#closings.has(closing)) return false
    this.#closings.add(closing)
    closing.begun(response)
    if (this.#hasEnded) closing.ended()
    return true
  }

  /** The pools of all services that the request has come to, by name: those of the innermost first. */
  get pools(): Readonly<Record<string, PoolSource>> {
    // Without a scope nobody would roll a transaction back when the client hangs up: that is refused.
    this.#offered()
    return this.#pools
  }

  knows(pools: Readonly<Record<string, PoolSource>>): void {
    this.#pools = { ...this.#pools, ...pools }
  }

  /** Goes on with the request in its scope. */
  enter(next: () => void): void {
    if (this.#isOff) runOutsideContext(next)
    else if (currentScope() === this.#leasehold.scope) next()
    else this.#leasehold.scope.run(next)
  }

  /** From here on the request has another scope, or none. */
  change({ off, label, mode, priority, deadlineMs, cancelOnAbort, declares }: ScopeWishes): void {
    this.#isOff = off === true
    if (this.#isOff) return
    this.#label = label ?? this.#label
    const before = this.#leasehold.scope
    const open = (): Scope =>
      openScopeInPlaceOf(before, {
        label: this.#labelNow(),
        mode: mode ?? before.mode,
        priority: priority ?? before.priority,
        deadlineMs: deadlineMs ?? Math.max(0, before.remainingMs()),
        cancelOnAbort: cancelOnAbort ?? before.cancelOnAbort,
        ...declares?.(this.#request),
      })
    // Beside the scope before and not inside it, whose deadline and signal would be its own.
    this.#leasehold.continueIn(this.#outer === undefined ? runOutsideContext(open) : this.#outer.run(open))
  }

  #labelNow(): () => string {
    const label = this.#label
    return () => labelOfRequest(this.#request.method ?? '', this.#pattern, label)
  }

  #offered(): RequestLeasehold {
    if (!this.#isOff) return this.#leasehold
    throw new InvalidOptionsError('req.leasehold', [
      { option: 'request', received: 'one whose route is `off`', expected: 'a request with a scope' },
    ])
  }

  #end(): void {
    this.#hasEnded = true
    for (const closing of this.#closings) closing.ended()
  }

  #emitInScope(emitter: NodeJS.EventEmitter, concerns: (event: string | symbol) => boolean): void {
    const emit = emitter.emit.bind(emitter)
    emitter.emit = (event, ...values: unknown[]) => {
      if (!concerns(event)) return emit(event, ...values)
      let heard = false
      this.enter(() => (heard = emit(event, ...values)))
      return heard
    }
  }
}
