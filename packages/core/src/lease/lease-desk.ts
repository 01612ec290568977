import type { StatementAbortReason } from '../errors/statement-aborted-error.js'
import type { Pin } from '../events/pin.js'
import type { Driver } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { Lending } from './lending.js'

/** What the desk that granted a lease does when it ends. */
export interface LeaseDesk<Client> {
  readonly pool: string
  readonly driver: Driver<Client>
  readonly observe: boolean
  now(): number
  ended(lending: Lending<Client>, now: number, discarded: unknown): Promise<void> | undefined
  takeBack(lending: Lending<Client>): Promise<void>
  interrupt(lending: Lending<Client>, why: StatementAbortReason, cause: unknown, cancels: boolean | undefined): void
  /** Nobody borrows from it now. */
  unshared(base: Lending<Client>): void
  wouldRefuse(lending: Lending<Client>, why: string): void
  siteOf(below: (...args: never[]) => unknown): Site | undefined
  pinsOf(lending: Lending<Client>, now: number): readonly Pin[]
  /** Returns why it cannot, if that is so: the lease is over then. */
  declare(lending: Lending<Client>): Error | undefined
  declareNone(lending: Lending<Client>): Error | undefined
  /** Whether it wants to know of leases that are forgotten. */
  readonly follows: boolean
  /** The holder of a lease that is followed was given one more thing through which it can use it. */
  follow(lending: Lending<Client>, handle: object): void
}
