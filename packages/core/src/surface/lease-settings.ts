import { declareSettings, type DeclaredSettings, mergeSettings } from '../options/declared-settings.js'
import type { Settings } from '../ports/settings.js'
import type { Scope } from '../scope/scope.js'

/** What one lease shall carry: what its scope declares at the moment, and over that what its request does. */
export class LeaseSettings {
  readonly #scope: Scope | undefined
  readonly #pool: object
  readonly #own: DeclaredSettings | undefined

  constructor(scope: Scope | undefined, pool: object, own: Settings | undefined) {
    this.#scope = scope
    this.#pool = pool
    this.#own = declareSettings(own)
  }

  get current(): DeclaredSettings | undefined {
    return mergeSettings(this.#scope?.settings?.of(this.#pool), this.#own)
  }

  /** Asks what is still to be asked. Returns nothing when all is known. */
  prepare(): Promise<unknown> | undefined {
    return this.#scope?.settings?.prepare(this.#pool)
  }
}
