import type { PinKind } from '@leasehold/core'

/** Settings of PostgreSQL's own that have no part in what a text means or how it is planned. */
const HARMLESS: ReadonlySet<string> = new Set([
  'application_name',
  'client_min_messages',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'lock_timeout',
  'statement_timeout',
  'transaction_timeout',
])

/**
 * Whether what was done to a session may make a kept statement mean something else than its text would now: its tables come
 * from the `search_path`, its literals of time from `TimeZone`, its plan from `enable_seqscan`. Settings with a dot in their
 * names are users' own, and are read when the statement runs.
 */
export function changesMeaning(kind: PinKind, name: string | undefined): boolean {
  if (kind === 'setting') return name === undefined || !(name.includes('.') || HARMLESS.has(name))
  return kind === 'role' || kind === 'temp' || kind === 'unknown' || kind === 'library'
}
