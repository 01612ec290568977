import { examineOptions, refuseFaults } from '../options/check-options.js'
import { poolIdentity } from '../options/option-rules.js'
import {
  declareSettings,
  type DeclaredSettings,
  faultsOfSettings,
  mergeSettings,
} from '../options/declared-settings.js'
import type { Settings } from '../ports/settings.js'

/** Settings, or a function that knows them when they are first needed. */
export type SettingsSource = Settings | (() => Settings | undefined | Promise<Settings | undefined>)

/** A core pool, or a facade, which has one as `leases`. */
export type PoolIdentity = object

export interface ScopeSettingsParts {
  /** Those of the scope around, over which these stand. */
  readonly outer: ScopeSettings | undefined
  readonly all: SettingsSource | undefined
  readonly byPool: ReadonlyMap<PoolIdentity, SettingsSource> | undefined
  /** Runs a function that knows settings, in a scope of its own. */
  readonly run: <R>(source: () => R | PromiseLike<R>) => R | Promise<R>
}

/** What one source has declared, and what was declared over it later. */
interface Declaration {
  source: (() => unknown) | undefined
  asked: Promise<unknown> | undefined
  settings: DeclaredSettings | undefined
}

const EVERY_POOL: PoolIdentity = {}

/** What a scope declares, for all pools or for one. A function among the sources is asked when a lease first needs it. */
export class ScopeSettings {
  readonly #outer: ScopeSettings | undefined
  readonly #run: ScopeSettingsParts['run']
  readonly #declarations = new Map<PoolIdentity, Declaration>()

  constructor({ outer, all, byPool, run }: ScopeSettingsParts) {
    this.#outer = outer
    this.#run = run
    if (all !== undefined) this.#declare(EVERY_POOL, all)
    if (byPool !== undefined) for (const [pool, source] of byPool) this.#declare(corePoolOf(pool), source)
  }

  /** What is declared for leases of this pool, as far as is known. */
  of(pool: PoolIdentity): DeclaredSettings | undefined {
    const all = this.#declarations.get(EVERY_POOL)?.settings
    const own = this.#declarations.get(pool)?.settings
    return mergeSettings(this.#outer?.of(pool), mergeSettings(all, own))
  }

  /**
   * Asks what is still to be asked before a lease of this pool. Returns nothing when all is known.
   *
   * @throws what a function throws.
   */
  prepare(pool: PoolIdentity): Promise<unknown> | undefined {
    const outer = this.#outer?.prepare(pool)
    const all = this.#ask(this.#declarations.get(EVERY_POOL))
    const own = this.#ask(this.#declarations.get(pool))
    if (outer === undefined && all === undefined) return own
    return heard(Promise.all([outer, all, own]))
  }

  /** Declares more, over what is declared; for one pool or for all. */
  set(settings: Settings, pool: PoolIdentity | undefined): void {
    const { faults } = examineOptions({ pool }, { pool: poolIdentity })
    refuseFaults('These settings', [...faultsOfSettings('settings', settings), ...faults])
    const target = pool === undefined ? EVERY_POOL : corePoolOf(pool)
    const declared = declareSettings(settings)
    const before = this.#declarations.get(target)
    if (before === undefined) {
      this.#declarations.set(target, { source: undefined, asked: undefined, settings: declared })
    } else before.settings = mergeSettings(before.settings, declared)
  }

  #declare(pool: PoolIdentity, source: SettingsSource): void {
    const isFunction = typeof source === 'function'
    this.#declarations.set(pool, {
      source: isFunction ? source : undefined,
      asked: undefined,
      settings: isFunction ? undefined : declareSettings(source),
    })
  }

  #ask(declaration: Declaration | undefined): Promise<unknown> | undefined {
    if (declaration?.source === undefined) return undefined
    if (declaration.asked !== undefined) return declaration.asked
    const answer = this.#run(declaration.source)
    if (!(answer instanceof Promise)) {
      this.#answered(declaration, answer)
      return undefined
    }
    declaration.asked = heard(
      answer.then((settings) => this.#answered(declaration, settings)).finally(() => (declaration.asked = undefined)),
    )
    return declaration.asked
  }

  /** What was set since stands over what the source says. */
  #answered(declaration: Declaration, settings: unknown): void {
    if (settings !== undefined)
      refuseFaults('What the `settings` function returned', faultsOfSettings('settings', settings))
    declaration.source = undefined
    declaration.settings = mergeSettings(declareSettings(settings as Settings | undefined), declaration.settings)
  }
}

/** Fails for whoever waits for it. Where nobody does, as in `tryAcquire`, that must not end the process. */
function heard<T>(asked: Promise<T>): Promise<T> {
  asked.catch(() => {})
  return asked
}

function corePoolOf(pool: PoolIdentity): PoolIdentity {
  return (pool as { readonly leases?: object }).leases ?? pool
}
