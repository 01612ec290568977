import type { DeclaredSettings } from '../options/declared-settings.js'
import type { PoolMode } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { LeaseHolder } from './lease-holder.js'

/** What a lease was asked for with, and is granted on. */
export interface LeaseTerms {
  readonly label: string
  readonly site: Site | undefined
  readonly mode: PoolMode
  /** Meant to be held for long: never overdue. */
  readonly isLong: boolean
  /** Stands for the owner, where the lease goes on with a session that the owner has had already. */
  readonly owner?: object
  /** For one statement: what it leaves on the session ties the session to the holder. */
  readonly isLone: boolean
  /** Held by the scope itself, for its leases to share: that it ends with the scope is as it should be. */
  readonly isShared: boolean
  readonly holder: LeaseHolder | undefined
  /** What is to know of the lease as its own: a transaction that an ORM is opening. */
  readonly opens?: { claim(lease: { readonly open: boolean; readonly connection: object }): void } | undefined
  /** The settings that the session shall carry. */
  readonly settings: DeclaredSettings | undefined
}
