/** Options of pg.Pool that its clients have no use for, and one that our own dial takes the place of. */
export const POOL_OPTIONS: ReadonlySet<string> = new Set([
  'max',
  'min',
  'poolSize',
  'idleTimeoutMillis',
  'connectionTimeoutMillis',
  'maxUses',
  'maxLifetimeSeconds',
  'allowExitOnIdle',
  'verify',
  'onConnect',
  'Client',
  'Promise',
  'log',
  'leasehold',
])

/** Options of pg.Client, as pg reads them; @types/pg does not have all. */
const CLIENT_OPTIONS: ReadonlySet<string> = new Set([
  'user',
  'password',
  'host',
  'port',
  'database',
  'connectionString',
  'ssl',
  'sslmode',
  'sslnegotiation',
  'stream',
  'connection',
  'keepAlive',
  'keepAliveInitialDelayMillis',
  'enableChannelBinding',
  'scramMaxIterations',
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'options',
  'replication',
  'statement_timeout',
  'lock_timeout',
  'query_timeout',
  'idle_in_transaction_session_timeout',
  'types',
  'binary',
  'pipeline',
  'parseInputDatesAsUTC',
])

const warned = new Set<string>()

/** Warns, once per process and name, of options that neither pg nor its pool knows: pg itself would ignore them. */
export function warnOfUnknownOptions(options: object): void {
  for (const name of Object.keys(options)) {
    if (POOL_OPTIONS.has(name) || CLIENT_OPTIONS.has(name) || warned.has(name)) continue
    warned.add(name)
    const hint = "options of Leasehold's own stand under `leasehold`"
    process.emitWarning(`LeasedPgPool: pg knows no option "${name}"; its clients get it, and ignore it (${hint})`, {
      type: 'LeaseholdWarning',
      code: 'LEASEHOLD_UNKNOWN_OPTION',
    })
  }
}
