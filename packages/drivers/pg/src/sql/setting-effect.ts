import type { PinKind } from '@leasehold/core'
import { foldName } from './identifier-name.js'

/** Settings that say who the session is. */
const ROLES: ReadonlySet<string> = new Set(['role', 'session_authorization'])
/** Settings of one transaction only: the next one begins with its defaults, however they were set. */
const OF_ONE_TRANSACTION: ReadonlySet<string> = new Set([
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
])

export interface SettingEffect {
  readonly kind: PinKind
  /** Settings are found whatever the case of their letters, quoted or not. */
  readonly name: string
  readonly isTransactional: boolean
}

/** What setting `name` does to a session; undefined if nothing stays. */
export function settingEffect(name: string): SettingEffect | undefined {
  const folded = foldName(name)
  if (OF_ONE_TRANSACTION.has(folded)) return undefined
  // It is no setting but a start of random numbers, which nothing takes back.
  if (folded === 'seed') return { kind: 'unknown', name: 'seed', isTransactional: false }
  return { kind: ROLES.has(folded) ? 'role' : 'setting', name: folded, isTransactional: true }
}
