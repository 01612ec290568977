import type { StatementAbortReason } from '../errors/statement-aborted-error.js'

/** Whoever must know which leases go on in its name. */
export interface LeaseHolder {
  /** Lets the session of a lone statement stay with the holder, for its next leases. False when the holder has ended. */
  keeps(poolId: number, session: KeptSession): boolean
  /** The session is not tied any more. */
  keepsNoMore(poolId: number): void
  holds(lending: HeldLease): void
  drops(lending: HeldLease): void
}

/** A session that stays with a holder because of what a lone statement left on it. */
export interface KeptSession extends HeldLease {
  readonly open: boolean
}

/** What a holder can do with what it holds. `heldAt` is the holder's own bookmark. */
export interface HeldLease {
  heldAt: number
  /** Ends the lease for its holder; resolves when the connection is fit for the next owner. */
  takeBack(): Promise<void>
  /** Its holder has declared other settings. */
  settingsChanged(): void
  /** Its holder has aborted. @param cancels whether what runs is cancelled; undefined leaves it to the pool. */
  interrupt(why: StatementAbortReason, cause: unknown, cancels: boolean | undefined): void
}
