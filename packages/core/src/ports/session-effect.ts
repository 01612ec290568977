import type { PinKind } from '../events/pin.js'
import type { Site } from './owner.js'

/** One thing that a statement did to its session. */
export interface SessionEffect {
  /**
   * Whether it is in force from now on, or no longer. After a `touch` nobody can tell: it may have been cleared. What is
   * known to be in force stays booked, and what hooks had made must be made anew. After a `rename` it is in force under
   * another name: to clear the old name clears something else.
   */
  readonly does: 'set' | 'clear' | 'touch' | 'rename'
  readonly kind: PinKind
  /** Of what: a setting, a channel, a lock's keys. Undefined when it could not be read, and for a `clear` or a `touch` of the whole kind. */
  readonly name: string | undefined
  /** Whether a rollback undoes it. */
  readonly isTransactional: boolean
}

/** Which statement did something, and where it came from. */
export interface EffectOrigin {
  /** The statement as it was sent, literals and all: it must be redacted before anybody sees it. */
  readonly statement: string | undefined
  /** Where it was sent from, if that is known. */
  readonly site: Site | undefined
  /** Whether sending the statement again, by itself, does the same: it is whole, and nothing was bound to it. */
  readonly isRepeatable: boolean
  /** It was sent to make the session what every owner shall meet: what it does is no pin. */
  readonly isOfBaseline: boolean
}

/** What a driver books on a session, in the order in which it happened on the server. */
export type SessionBooking =
  | { readonly is: 'effect'; readonly effect: SessionEffect; readonly origin: EffectOrigin }
  | { readonly is: 'begin'; readonly origin: EffectOrigin }
  | { readonly is: 'savepoint' | 'release-savepoint' | 'rollback-to-savepoint'; readonly name: string }
  | { readonly is: 'commit' | 'rollback' }

/** One difference between a session and what its first owner met. */
export interface PinRecord extends EffectOrigin {
  readonly kind: PinKind
  readonly name: string | undefined
  /** `set` is in force and was not; `cleared` was there from the beginning (a hook's doing) and is gone. */
  readonly change: 'set' | 'cleared'
  /** How often, of what counts: an advisory lock taken twice wants two unlocks. */
  readonly times: number
  /** Since when, in milliseconds of the pool's clock. */
  readonly since: number
}

/** One thing that the server says a session carries. */
export interface SessionFact {
  readonly kind: PinKind
  /** Of what, named as the ledger names it: a setting, a channel, a lock's keys. */
  readonly name: string
  /** What a setting or a role is now; undefined where there is nothing but to be there. */
  readonly value: string | undefined
}
