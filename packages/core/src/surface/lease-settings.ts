import type { AcquireRequest } from '../options/acquire-request.js'
import { declareSettings, type DeclaredSettings, mergeSettings } from '../options/declared-settings.js'
import type { Scope } from '../scope/scope.js'

/** What one lease shall carry: what its adapter wants, over that what its scope declares at the moment, and over that what its request does. */
export class LeaseSettings {
  readonly #scope: Scope | undefined
  readonly #pool: object
  readonly #defaults: DeclaredSettings | undefined
  readonly #own: DeclaredSettings | undefined

  constructor(
    scope: Scope | undefined,
    pool: object,
    { settings, defaultSettings }: Pick<AcquireRequest, 'settings' | 'defaultSettings'>,
  ) {
    this.#scope = scope
    this.#pool = pool
    this.#defaults = declareSettings(defaultSettings)
    this.#own = declareSettings(settings)
  }

  get current(): DeclaredSettings | undefined {
    const under = mergeSettings(this.#defaults, this.#scope?.settings?.of(this.#pool))
    return mergeSettings(under, this.#own)
  }

  /** Asks what is still to be asked. Returns nothing when all is known. */
  prepare(): Promise<unknown> | undefined {
    return this.#scope?.settings?.prepare(this.#pool)
  }
}
