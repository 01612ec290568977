import { CLIENT_OPTIONS } from '../driver/client-options.js'

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
