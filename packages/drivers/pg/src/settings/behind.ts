import { oneOf, type OptionRule } from '@leasehold/core'

/**
 * What stands between the pool and the server. `nothing` also stands for a proxy that gives a connection a session of its
 * own for as long as it lives. The others hand a session on after each transaction.
 */
export type Behind = 'nothing' | 'pgbouncer' | 'rds-proxy' | 'supavisor'

export const BEHIND_RULE: OptionRule = oneOf('nothing', 'pgbouncer', 'rds-proxy', 'supavisor')

/** Whether sessions are somebody else's after each transaction. */
export function isPooled(behind: Behind | undefined): behind is Exclude<Behind, 'nothing'> {
  return behind !== undefined && behind !== 'nothing'
}
