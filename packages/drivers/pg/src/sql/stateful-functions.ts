import { type CallArgument, CallArguments } from './call-arguments.js'
import { isTrue } from './is-true.js'
import { lockKey } from './lock-key.js'
import { mayMakeTemporary } from './may-make-temporary.js'
import { bookSetting } from './read-set.js'
import type { StatementDraft } from './statement-draft.js'
import type { BoundName, BoundValue } from './statement-reading.js'
import type { Tokens } from './tokens.js'

/** A call of a function that does something to the session. */
export interface StatefulCall {
  readonly draft: StatementDraft
  readonly tokens: Tokens
  /** The place of the opening bracket, and where the statement ends. */
  readonly open: number
  readonly to: number
  /** Whether it runs once and only once; what runs seldom or often is never taken to have undone something. */
  readonly isCertain: boolean
}

interface StatefulFunction {
  /** Belongs to an extension, which may live in any schema. */
  readonly isExtension: boolean
  readonly book: (call: StatefulCall) => void
}

/** Functions written in C that change the session. All others of the server and of extensions are taken for harmless. */
export const STATEFUL_FUNCTIONS: ReadonlyMap<string, StatefulFunction> = new Map([
  builtIn('set_config', bookSetConfig),
  ...lockFunctions(),
  builtIn('pg_advisory_unlock_all', ({ draft, isCertain }) => {
    if (isCertain) draft.clearAll('advisory-lock')
    else draft.touch('advisory-lock')
  }),
  builtIn('setseed', unknown('seed')),
  builtIn('currval', ({ draft }) => void (draft.readsSequence = true)),
  builtIn('lastval', ({ draft }) => void (draft.readsSequence = true)),
  builtIn('nextval', ({ draft }) => void (draft.drawsSequence = true)),
  builtIn('setval', ({ draft }) => void (draft.drawsSequence = true)),
  builtIn('pg_create_logical_replication_slot', (call) => bookSlot(call, 0, 'slot_name', 'temporary')),
  builtIn('pg_create_physical_replication_slot', (call) => bookSlot(call, 0, 'slot_name', 'temporary')),
  builtIn('pg_copy_logical_replication_slot', bookCopiedSlot),
  builtIn('pg_copy_physical_replication_slot', bookCopiedSlot),
  builtIn('pg_drop_replication_slot', bookDroppedSlot),
  builtIn('pg_replication_origin_session_setup', unknown('replication origin')),
  builtIn('pg_replication_origin_session_reset', undone('replication origin')),
  builtIn('pg_backup_start', unknown('backup')),
  builtIn('pg_start_backup', unknown('backup')),
  builtIn('pg_backup_stop', undone('backup')),
  builtIn('pg_stop_backup', undone('backup')),
  // What these are given is run as a statement.
  ...['query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'ts_stat'].map((name) =>
    builtIn(name, (call) => bookText(call, name, 0)),
  ),
  // These read tables and views without naming them as such, and cursors.
  ...['table_to_xml', 'table_to_xml_and_xmlschema', 'schema_to_xml', 'schema_to_xml_and_xmlschema', 'database_to_xml']
    .concat('database_to_xml_and_xmlschema', 'cursor_to_xml')
    .map((name) => builtIn(name, unknown(name))),
  builtIn('ts_rewrite', (call) => {
    if (new CallArguments(call.tokens, call.open, call.to).count === 2) bookText(call, 'ts_rewrite', 1)
  }),
  ...['crosstab', 'crosstab2', 'crosstab3', 'crosstab4'].map((name) =>
    extension(name, (call) => bookTexts(call, name)),
  ),
  extension('dblink_connect', unknown('dblink')),
  extension('dblink_connect_u', unknown('dblink')),
  extension('set_limit', ({ draft }) => bookSetting(draft, 'set', 'pg_trgm.similarity_threshold', { isLocal: false })),
])

function builtIn(name: string, book: StatefulFunction['book']): readonly [string, StatefulFunction] {
  return [name, { isExtension: false, book }]
}

function extension(name: string, book: StatefulFunction['book']): readonly [string, StatefulFunction] {
  return [name, { isExtension: true, book }]
}

function unknown(name: string): StatefulFunction['book'] {
  return ({ draft }) => draft.set('unknown', name)
}

function undone(name: string): StatefulFunction['book'] {
  return ({ draft, isCertain }) => {
    if (isCertain) draft.clear('unknown', name)
  }
}

/** `set_config(setting_name, new_value, is_local)` */
function bookSetConfig({ draft, tokens, open, to, isCertain }: StatefulCall): void {
  const given = new CallArguments(tokens, open, to)
  const name = given.at(0, 'setting_name')
  const value = given.at(1, 'new_value')
  const local = given.at(2, 'is_local')
  const isLocal = local?.is === 'literal' && isTrue(local.text)
  const isLocalIf = local?.is === 'parameter' ? { parameter: local.parameter } : undefined
  if (name?.is === 'literal') {
    const isNoRole = name.text.toLowerCase() === 'role' && value?.is === 'literal' && value.text === 'none'
    const isDefault = isCertain && (value?.is === 'null' || isNoRole)
    bookSetting(draft, isDefault ? 'clear' : 'set', name.text, { isLocal, isLocalIf })
    // As in SET search_path: what is made then is temporary, and outlasts a path of the transaction.
    const isPath = name.text.toLowerCase() === 'search_path'
    if (isPath && value?.is === 'literal' && mayMakeTemporary(value.text)) draft.set('temp', undefined)
  } else if (name?.is !== 'null') {
    draft.set('setting', name?.is === 'parameter' ? { parameter: name.parameter } : undefined, { isLocal, isLocalIf })
  }
}

function lockFunctions(): ReadonlyArray<readonly [string, StatefulFunction]> {
  return ['', '_shared'].flatMap((suffix) => [
    builtIn(`pg_advisory_lock${suffix}`, (call) => bookLock(call, suffix !== '')),
    builtIn(`pg_try_advisory_lock${suffix}`, (call) => bookLock(call, suffix !== '')),
    builtIn(`pg_advisory_unlock${suffix}`, (call) => bookUnlock(call, suffix !== '')),
  ])
}

/** Of what may run seldom or often nobody knows how often it must be undone: such a lock has no name. */
function bookLock(call: StatefulCall, isShared: boolean): void {
  call.draft.set('advisory-lock', call.isCertain ? lockName(call, isShared) : undefined)
}

function bookUnlock(call: StatefulCall, isShared: boolean): void {
  const name = call.isCertain ? lockName(call, isShared) : undefined
  if (name === undefined) call.draft.touch('advisory-lock')
  else call.draft.clear('advisory-lock', name)
}

function lockName({ tokens, open, to }: StatefulCall, isShared: boolean): string | BoundName | undefined {
  const given = new CallArguments(tokens, open, to)
  const parts: Array<string | BoundValue> = []
  for (let place = 0; place < given.count; place += 1) {
    const key = given.at(place, `key${place + 1}`) ?? given.at(place, 'key')
    if (place > 0) parts.push(',')
    if (key?.is === 'parameter') parts.push({ parameter: key.parameter })
    else {
      const text = key?.is === 'literal' ? lockKey(key.text) : undefined
      if (text === undefined) return undefined
      parts.push(text)
    }
  }
  if (isShared) parts.push(' shared')
  return parts.every((part) => typeof part === 'string') ? parts.join('') : parts
}

/** A copy is as temporary as what it is a copy of, unless it says otherwise: nobody knows. */
function bookCopiedSlot(call: StatefulCall): void {
  const given = new CallArguments(call.tokens, call.open, call.to)
  if (given.at(2, 'temporary') === undefined) call.draft.set('slot', nameOf(given.at(1, 'dst_slot_name')))
  else bookSlot(call, 1, 'dst_slot_name', 'temporary')
}

/** A slot that is not temporary belongs to the server, and stays. */
function bookSlot({ draft, tokens, open, to }: StatefulCall, place: number, name: string, temporary: string): void {
  const given = new CallArguments(tokens, open, to)
  const isTemporary = given.at(2, temporary)
  if (isTemporary === undefined || isTemporary.is === 'null') return
  if (isTemporary.is === 'literal' && !isTrue(isTemporary.text)) return
  draft.set('slot', nameOf(given.at(place, name)))
}

function bookDroppedSlot({ draft, tokens, open, to, isCertain }: StatefulCall): void {
  const name = nameOf(new CallArguments(tokens, open, to).at(0, 'slot_name'))
  if (isCertain && name !== undefined) draft.clear('slot', name)
}

function nameOf(given: CallArgument | undefined): string | BoundValue | undefined {
  if (given?.is === 'literal') return given.text
  return given?.is === 'parameter' ? { parameter: given.parameter } : undefined
}

function bookText({ draft, tokens, open, to }: StatefulCall, name: string, place: number): void {
  const given = new CallArguments(tokens, open, to).at(place, 'query')
  if (given?.is === 'literal') draft.absorbText(given.text)
  else if (given?.is !== 'null') draft.set('unknown', name)
}

function bookTexts(call: StatefulCall, name: string): void {
  const { tokens, open, to } = call
  const given = new CallArguments(tokens, open, to)
  bookText(call, name, 0)
  // The second may be a number of columns.
  const second = given.at(1, 'category_sql')
  if (second !== undefined && (second.is !== 'literal' || lockKey(second.text) === undefined)) bookText(call, name, 1)
}
