import type { PoolMode } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { LeaseHolder, LeaseTerms } from './lending.js'

/** The terms on which a session stays with a scope because of what a lone statement left on it. */
export class TiedTerms implements LeaseTerms {
  readonly label: string
  readonly site: Site | undefined
  readonly mode: PoolMode
  readonly isLong = false
  readonly isLone = false
  readonly isShared = true
  readonly holder: LeaseHolder
  readonly settings: LeaseTerms['settings']
  readonly owner: object

  /** @param owner whose session it has been. */
  constructor({ label, site, mode, settings }: LeaseTerms, holder: LeaseHolder, owner: object) {
    this.label = label
    this.site = site
    this.mode = mode
    this.settings = settings
    this.holder = holder
    this.owner = owner
  }
}
