import type { LeaseTerms } from '../lease/lending.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import type { PoolMode } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { Scope } from '../scope/scope.js'

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

  constructor(
    request: AcquireRequest,
    label: string,
    site: Site | undefined,
    mode: PoolMode,
    scope: Scope | undefined,
    at: number,
    isShared: boolean,
  ) {
    this.request = request
    this.label = label
    this.site = site
    this.mode = mode
    this.isShared = isShared
    this.holder = scope
    this.at = at
  }

  get isLong(): boolean {
    return this.request.hold === 'long'
  }

  /** The same, for the lease that the leases of a `session` scope share. */
  shared(): Asked {
    return new Asked(this.request, this.label, this.site, this.mode, this.holder, this.at, true)
  }
}
