import type { PoolMode } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import type { LeaseHolder } from './lease-holder.js'
import type { LeaseTerms } from './lease-terms.js'

/** The terms on which a session stays with a scope because of what a lone statement left on it. */
export class TiedTerms implements LeaseTerms {
  readonly label: string
  readonly site: Site | undefined
  readonly mode: PoolMode
  readonly isLong = false
  readonly isLone = false
  readonly isShared = true
  readonly holder: LeaseHolder
  readonly owner: object
  readonly #first: LeaseTerms

  /** @param owner whose session it has been. */
  constructor(first: LeaseTerms, holder: LeaseHolder, owner: object) {
    const { label, site, mode } = first
    this.#first = first
    this.label = label
    this.site = site
    this.mode = mode
    this.holder = holder
    this.owner = owner
  }

  /** Those of the statement that left something; what its scope declares later is among them. */
  get settings(): LeaseTerms['settings'] {
    return this.#first.settings
  }
}
