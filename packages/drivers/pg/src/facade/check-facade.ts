import { type OptionFault, printReceivedKind } from '@leasehold/core'

const METHODS = ['acquire', 'snapshot', 'on']

/**
 * What is wrong with a pool that an adapter is to stand on, for its refusal. Looked at by shape: the pool may come from
 * another installed copy.
 */
export function checkFacade(pool: unknown): readonly OptionFault[] {
  const leases = fieldsOf(fieldsOf(pool)['leases'])
  const isOnLeases = METHODS.every((method) => typeof leases[method] === 'function')
  const driver = isOnLeases ? (leases['snapshot'] as () => { driver: string }).call(leases).driver : undefined
  if (driver === 'pg') return []
  return [
    { option: 'pool', expected: 'the pool of createPgPool() or new LeasedPgPool()', received: describe(pool, driver) },
  ]
}

function describe(pool: unknown, driver: string | undefined): string {
  if (driver !== undefined) return `a pool of the driver ${driver}`
  const fields = fieldsOf(pool)
  if (typeof fields['acquire'] === 'function' && typeof fields['snapshot'] === 'function')
    return 'a core pool without its facade'
  if (typeof fields['connect'] === 'function' && 'totalCount' in fields) return 'a pg.Pool that is none of ours'
  if (typeof fields['getConnection'] === 'function') return 'a pool of another driver'
  return printReceivedKind(pool)
}

function fieldsOf(value: unknown): Record<string, unknown> {
  const hasFields = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return hasFields ? (value as Record<string, unknown>) : {}
}
