import type { CloseReason } from '../events/pool-events.js'
import type { Owner } from '../ports/owner.js'
import type { SessionLedger } from './session-ledger.js'

/** Where a connection is, with what belongs to that place. Only the moves that `Connection` offers exist. */
export type ConnectionState =
  /** Just opened, or between two owners. */
  | { readonly at: 'recycling' }
  | { readonly at: 'checking'; readonly idleSince: number }
  | { readonly at: 'idle'; readonly since: number }
  | { readonly at: 'lent'; readonly to: Owner }
  | { readonly at: 'closing'; readonly reason: CloseReason }
  | { readonly at: 'closed'; readonly reason: CloseReason }

export type ConnectionStage = ConnectionState['at']

/** How many connections are at each stage. Every move books itself here, so that the counts cannot differ from the truth. */
export interface StageCounts {
  recycling: number
  checking: number
  idle: number
  lent: number
  closing: number
}

export interface ConnectionBirth<Client> {
  readonly id: number
  readonly client: Client
  readonly ledger: SessionLedger
  /** The pool's generation when it was opened; a connection of an older one is not lent again. */
  readonly generation: number
  readonly openedAt: number
  /** When it is too old to be lent again, jitter included. */
  readonly expiresAt: number
  readonly counts: StageCounts
}

const RECYCLING: ConnectionState = { at: 'recycling' }

/** One physical session and where it is. A move that makes no sense is a bug of Leasehold and is thrown as one. */
export class Connection<Client> {
  readonly id: number
  readonly client: Client
  readonly ledger: SessionLedger
  readonly generation: number
  readonly openedAt: number
  readonly expiresAt: number
  readonly #counts: StageCounts
  #state: ConnectionState = RECYCLING
  #uses = 0
  #provenAt: number

  constructor(birth: ConnectionBirth<Client>) {
    this.id = birth.id
    this.client = birth.client
    this.ledger = birth.ledger
    this.generation = birth.generation
    this.openedAt = birth.openedAt
    this.expiresAt = birth.expiresAt
    this.#provenAt = birth.openedAt
    this.#counts = birth.counts
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** How often it has been lent. */
  get uses(): number {
    return this.#uses
  }

  /** When it was last known to be alive: opened, given back, or checked. */
  get provenAt(): number {
    return this.#provenAt
  }

  lend(to: Owner): void {
    const from = this.#state.at
    if (from === 'lent' || from === 'closing' || from === 'closed') throw this.#illegal('lent')
    this.#uses += 1
    this.#leave(from)
    this.#state = { at: 'lent', to }
    this.#counts.lent += 1
  }

  /** Passes from its owner straight to another one. */
  pass(to: Owner): void {
    if (this.#state.at !== 'lent') throw this.#illegal('lent')
    this.#state = { at: 'lent', to }
  }

  /** Out of its owner's hands, and not yet in anybody's. */
  recycle(): void {
    if (this.#state.at !== 'lent') throw this.#illegal('recycling')
    this.#state = RECYCLING
    this.#counts.lent -= 1
    this.#counts.recycling += 1
  }

  check(): void {
    if (this.#state.at !== 'idle') throw this.#illegal('checking')
    this.#state = { at: 'checking', idleSince: this.#state.since }
    this.#counts.idle -= 1
    this.#counts.checking += 1
  }

  /** Known to have been alive at `at`. */
  prove(at: number): void {
    if (at > this.#provenAt) this.#provenAt = at
  }

  /** Comes to rest. One that was checked and then not lent has rested all the while. */
  rest(now: number): void {
    const from = this.#state
    if (from.at !== 'recycling' && from.at !== 'checking') throw this.#illegal('idle')
    this.#leave(from.at)
    this.#state = { at: 'idle', since: from.at === 'checking' ? from.idleSince : now }
    this.#counts.idle += 1
  }

  close(reason: CloseReason): void {
    const from = this.#state.at
    if (from === 'lent' || from === 'closing' || from === 'closed') throw this.#illegal('closing')
    this.#leave(from)
    this.#state = { at: 'closing', reason }
    this.#counts.closing += 1
  }

  closed(): void {
    if (this.#state.at !== 'closing') throw this.#illegal('closed')
    this.#state = { at: 'closed', reason: this.#state.reason }
    this.#counts.closing -= 1
  }

  // Spelled out: it is on the way of every lease, and a computed key cost a tenth of the whole way there.
  #leave(from: 'recycling' | 'checking' | 'idle'): void {
    if (from === 'idle') this.#counts.idle -= 1
    else if (from === 'recycling') this.#counts.recycling -= 1
    else this.#counts.checking -= 1
  }

  #illegal(to: ConnectionStage): Error {
    return new Error(`bug in Leasehold: connection ${this.id} cannot go from ${this.#state.at} to ${to}`)
  }
}
