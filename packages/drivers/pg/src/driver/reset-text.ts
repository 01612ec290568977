import type { LedgerView, PinKind, PinRecord } from '@leasehold/core'

/** Says why a session cannot be made as it was, so that its connection is closed. */
class NotCleanableError extends Error {
  constructor(what: string) {
    super(`${what} cannot be undone on a living session`)
    this.name = 'NotCleanableError'
  }
}

/** What stands before the settings: a role may be too weak to reset one, and what follows must run as the login's own. */
const ROLES = ['SET SESSION AUTHORIZATION DEFAULT', 'RESET ROLE']

/**
 * SQL cannot deallocate by a query, and `DEALLOCATE ALL` would take the statements that the driver has named itself, which
 * its next query would then miss (facts: session-state §0.6).
 */
const DEALLOCATE_PREPARED_BY_SQL = [
  'DO $leasehold$ DECLARE named pg_catalog.text; BEGIN',
  'FOR named IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql',
  `LOOP EXECUTE pg_catalog.format('DEALLOCATE %I', named); END LOOP; END $leasehold$`,
].join(' ')

const UNLOCK_ALL = 'SELECT pg_catalog.pg_advisory_unlock_all()'

/** The whole recipe, for a session of which it is not known what it carries. */
const EVERYTHING = [
  ...ROLES,
  'RESET ALL',
  'CLOSE ALL',
  'UNLISTEN *',
  UNLOCK_ALL,
  DEALLOCATE_PREPARED_BY_SQL,
  'DISCARD PLANS',
  'DISCARD SEQUENCES',
  'DISCARD TEMP',
]

/**
 * What makes a session as its first owner met it, as one text for one round trip: the server runs it as one transaction, so
 * that nothing of it is done when something fails. Empty when there is nothing to do.
 *
 * @throws {NotCleanableError} when only a new connection is clean.
 */
export function resetText(ledger: LedgerView): string {
  const { pins, baseline, transaction } = ledger
  const of = new Map<PinKind, PinRecord[]>()
  for (const pin of pins) of.set(pin.kind, [...(of.get(pin.kind) ?? []), pin])
  refuseLasting(of)
  const steps: string[] = transaction === 'idle' ? [] : ['ROLLBACK']
  if (of.has('unknown')) steps.push(...EVERYTHING, ...restored(baseline))
  else {
    if (of.has('role')) steps.push(...ROLES)
    steps.push(...cursors(of), ...channels(of), ...locks(of, baseline), ...prepared(of), ...temporary(of, baseline))
    steps.push(...settings(of))
    steps.push(...restored(baseline.filter((item) => isTouched(item, of))))
  }
  return steps.join(';')
}

function refuseLasting(of: ReadonlyMap<PinKind, readonly PinRecord[]>): void {
  for (const kind of ['library', 'slot', 'table-lock', 'user-variable', 'database'] as const) {
    const [pin] = of.get(kind) ?? []
    if (pin !== undefined) throw new NotCleanableError(pin.name === undefined ? kind : `${kind} ${pin.name}`)
  }
  for (const { name } of of.get('unknown') ?? []) {
    if (name !== undefined && LASTING.test(name)) throw new NotCleanableError(name)
  }
}

/** State that no statement ends, by the names under which the reader tells of it. */
const LASTING = /^(?:seed|replication origin|backup|dblink)\b/

function cursors(of: ReadonlyMap<PinKind, readonly PinRecord[]>): string[] {
  return named(of.get('cursor'), (name) => `CLOSE ${quoted(name)}`, 'CLOSE ALL')
}

function channels(of: ReadonlyMap<PinKind, readonly PinRecord[]>): string[] {
  return named(of.get('listen'), (name) => `UNLISTEN ${quoted(name)}`, 'UNLISTEN *')
}

function prepared(of: ReadonlyMap<PinKind, readonly PinRecord[]>): string[] {
  return named(of.get('prepared'), (name) => `DEALLOCATE ${quoted(name)}`, DEALLOCATE_PREPARED_BY_SQL)
}

/** Single locks cannot be given back by name without knowing that they are held: a warning would be all. */
function locks(of: ReadonlyMap<PinKind, readonly PinRecord[]>, baseline: readonly PinRecord[]): string[] {
  if (!of.has('advisory-lock')) return []
  if (baseline.some(({ kind }) => kind === 'advisory-lock')) {
    throw new NotCleanableError('an advisory lock beside one of the baseline')
  }
  return [UNLOCK_ALL]
}

function temporary(of: ReadonlyMap<PinKind, readonly PinRecord[]>, baseline: readonly PinRecord[]): string[] {
  if (!of.has('temp')) return []
  if (baseline.some(({ kind }) => kind === 'temp')) {
    throw new NotCleanableError('a temporary object beside one of the baseline')
  }
  return ['DISCARD TEMP']
}

function settings(of: ReadonlyMap<PinKind, readonly PinRecord[]>): string[] {
  return named(of.get('setting'), (name) => `RESET ${name.split('.').map(quoted).join('.')}`, 'RESET ALL')
}

/** One step for each name, or the one for all where a name is not known. */
function named(pins: readonly PinRecord[] | undefined, each: (name: string) => string, all: string): string[] {
  const made = (pins ?? []).filter(({ change }) => change === 'set')
  const names = made.map(({ name }) => name)
  if (names.includes(undefined)) return [all]
  return names.map((name) => each(name as string))
}

/** Whether what was undone may have taken a part of the baseline with it. */
function isTouched(item: PinRecord, of: ReadonlyMap<PinKind, readonly PinRecord[]>): boolean {
  return (of.get(item.kind) ?? []).some(({ name }) => name === undefined || name === item.name || item.kind === 'role')
}

/** What hooks had done, done again: by the same texts, each once. */
function restored(baseline: readonly PinRecord[]): string[] {
  const texts = baseline.map(({ kind, name, statement, isRepeatable }) => {
    const isRestorable = kind === 'setting' || kind === 'role' || kind === 'listen' || kind === 'prepared'
    if (isRestorable && isRepeatable && statement !== undefined) return statement.replace(/[\s;]+$/, '')
    throw new NotCleanableError(`${kind} ${name ?? ''} of the baseline`)
  })
  return [...new Set(texts)]
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
