import type { LeaseTerms } from '../lease/lease-terms.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import type { PoolMode } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { Frame } from '../scope/frame.js'
import type { Scope } from '../scope/scope.js'
import type { LeaseSettings } from './lease-settings.js'

/** What a caller asked for, once its scope and the defaults are worked in: the terms of its lease, and how it may wait. */
export class Asked implements LeaseTerms {
  readonly label: string
  readonly site: Site | undefined
  readonly mode: PoolMode
  readonly isShared: boolean
  /** The scope in whose name it is asked, which will hold the lease. */
  readonly holder: Scope | undefined
  readonly request: AcquireRequest
  readonly at: number
  readonly pool: object
  /** Undefined when nobody had declared anything when it was asked. */
  readonly declares: LeaseSettings | undefined
  /** The innermost frame around the caller. */
  readonly frame: Frame | undefined
  /** Set when it is for a transaction that an ORM is opening. */
  opens: LeaseTerms['opens'] = undefined

  constructor(
    request: AcquireRequest,
    label: string,
    site: Site | undefined,
    mode: PoolMode,
    scope: Scope | undefined,
    at: number,
    isShared: boolean,
    pool: object,
    declares: LeaseSettings | undefined,
    frame: Frame | undefined,
  ) {
    this.request = request
    this.label = label
    this.site = site
    this.mode = mode
    this.isShared = isShared
    this.holder = scope
    this.at = at
    this.pool = pool
    this.declares = declares
    this.frame = frame
  }

  get isLone(): boolean {
    return this.request.statement === true
  }

  get isLong(): boolean {
    return this.request.hold === 'long'
  }

  /** The settings that the lease shall carry, as they are declared at this moment. */
  get settings(): DeclaredSettings | undefined {
    return this.declares === undefined ? this.holder?.settings?.of(this.pool) : this.declares.current
  }

  /** The same, for the lease that the leases of a `session` scope share. */
  shared(): Asked {
    return new Asked(
      this.request,
      this.label,
      this.site,
      this.mode,
      this.holder,
      this.at,
      true,
      this.pool,
      this.declares,
      this.frame,
    )
  }
}
