import { markOwnFrames, type OptionFault, PoolClosedError, refuseFaults } from '@leasehold/core'
import { checkFacade, type LeasedPgPool } from '@leasehold/pg'
import knex, { type Knex } from 'knex'
import { checkKnexConfig } from './check-knex-config.js'
import { type AfterCreate, ConnectionSetup } from './connection-setup.js'
import type { PgDialectClass } from './knex-internals.js'
import { checkKnexVersion } from './knex-version.js'
import { LeasedConnections } from './leased-connections.js'
import { databaseOf } from './database-of.js'
import { leasedDialect } from './leased-dialect.js'
import { SearchPathSetting } from './search-path-setting.js'

markOwnFrames(new Error('where @leasehold/knex lies'))

/**
 * Knex on a pool of ours: the same Knex, whose connections are leases. The pool is shared and outlives it:
 * `knex.destroy()` leaves it alone.
 *
 * @param config what Knex takes, without a connection; of `pool` only `afterCreate` and `validate`.
 * @throws {InvalidOptionsError} naming all that is wrong with `pool` and `config`; also for a Knex before 3.3.
 * @throws {PoolClosedError} when the pool is closed.
 */
// The defaults of Knex's own `knex()`, so that the two are the same type.
// oxlint-disable-next-line typescript/no-explicit-any typescript/no-empty-object-type typescript/ban-types
export function createKnex<TRecord extends {} = any, TResult = unknown[]>(
  pool: LeasedPgPool,
  config: Knex.Config = {},
): Knex<TRecord, TResult> {
  checkKnexVersion(knex)
  const postgres = dialectOf(knex({ client: 'pg' }))
  const { faults, unknown } = checkKnexConfig(config, postgres)
  refuseFaults('createKnex', [...checkFacade(pool), ...faults])
  if (pool.ending) throw new PoolClosedError(pool.leases.options.name)
  warnOf(unknown)

  const { client = 'pg', pool: hooks, ...rest } = config
  const { leases } = pool
  const connections = new LeasedConnections({
    leases,
    searchPath: new SearchPathSetting(leases, !pool.lendsBareClients),
    setup: new ConnectionSetup(leases, hooks?.afterCreate as AfterCreate | undefined),
    timeoutMs: config.acquireConnectionTimeout,
    validate: hooks?.validate,
  })
  const made = knex<TRecord, TResult>({
    ...rest,
    client: leasedDialect(typeof client === 'string' ? postgres : (client as unknown as PgDialectClass)) as never,
    connectionPool: connections,
  })
  // Whoever looks there, a plugin, a tracer or a template for migrations, wants to know which database it is.
  const shown = made.client as { config: Knex.Config; connectionSettings: object }
  shown.config.client = client
  shown.connectionSettings = databaseOf(pool)
  return made
}

/** Once per process and name; Knex itself would ignore it. */
const warned = new Set<string>()

function warnOf(unknown: readonly OptionFault[]): void {
  for (const { option, expected } of unknown) {
    if (warned.has(option)) continue
    warned.add(option)
    process.emitWarning(`createKnex: Knex knows ${expected.replace('of this name', `"${option}"`)}; it is ignored`, {
      type: 'LeaseholdWarning',
      code: 'LEASEHOLD_UNKNOWN_OPTION',
    })
  }
}

function dialectOf(made: Knex): PgDialectClass {
  return (made.client as object).constructor as PgDialectClass
}
