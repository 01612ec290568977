import { currentScope, type Settings } from '@leasehold/core'
import type { KnexConnection, PgDialect, PgLeases } from './knex-internals.js'

/**
 * The search path of one Knex as what its leases declare: it goes along with a lease's first statement, stays on the
 * connection for the next lease that wants the same, and nobody else meets it.
 */
export class SearchPathSetting {
  readonly #leases: PgLeases
  readonly #canDeclare: boolean
  #made: { readonly of: PgDialect; readonly settings: Settings } | undefined

  /** @param canDeclare whether leases of the pool can have settings. */
  constructor(leases: PgLeases, canDeclare: boolean) {
    this.#leases = leases
    this.#canDeclare = canDeclare
  }

  /** What a lease that is asked for now shall declare. Undefined when its session is one that others share. */
  declaredBy(dialect: PgDialect | undefined): Settings | undefined {
    if (!this.#canDeclare || dialect?.searchPath === undefined || this.#isShared) return undefined
    if (this.#made?.of !== dialect) this.#made = { of: dialect, settings: settingsOf(dialect) }
    return this.#made.settings
  }

  get #isShared(): boolean {
    const scope = currentScope()
    return scope?.isOpen === true && (scope.mode ?? this.#leases.options.mode) === 'session'
  }
}

/** Quoted where it must be, as the server shows a path that was set by Knex. */
function settingsOf(dialect: PgDialect): Settings {
  // For its warning of a path with commas.
  const nobody = { query: (_statement: string, callback: () => void) => callback() }
  void dialect.setSchemaSearchPath(nobody as unknown as KnexConnection)
  const path = typeof dialect.searchPath === 'string' ? [dialect.searchPath] : (dialect.searchPath ?? [])
  const names = path.map((name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`))
  return { search_path: names.join(', ') }
}
