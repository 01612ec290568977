import type { PinKind, SessionFact } from '@leasehold/core'
import type * as pg from 'pg'
import { abortable } from '../wire/abortable.js'
import { sessionOf } from './pg-session.js'

// Whoever has put an operator or a function of his own before those of pg_catalog must not be able to bend the answer,
// so that every one is named with its schema. It is all one statement: one round trip, and one snapshot.
const EQUALS = 'operator(pg_catalog.=)'
const DIFFERS = 'operator(pg_catalog.<>)'
const THEN = 'operator(pg_catalog.||)'

/** Those of a transaction: they end with it, whoever has set them. */
const TRANSACTION_MODES = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable']
  .map((name) => `and name ${DIFFERS} '${name}'`)
  .join(' ')

// One that was set to what it is without that is no difference; the server says so of some that were not even set.
const SETTINGS = `
  select 'setting', pg_catalog.lower(name), setting from pg_catalog.pg_settings
  where source ${EQUALS} 'session' ${TRANSACTION_MODES}
    and coalesce(setting, '') ${DIFFERS} coalesce(reset_val, '')`

// pg_settings holds no setting that is known by nothing but its use (app.tenant_id): those must be asked by name.
const ASKED_SETTINGS = `
  select 'setting', pg_catalog.lower(asked), pg_catalog.current_setting(asked, true) from pg_catalog.unnest($1::pg_catalog.text[]) as asked
  where pg_catalog.current_setting(asked, true) ${DIFFERS} ''
    and not exists (
      select from pg_catalog.pg_settings where pg_catalog.lower(name) ${EQUALS} pg_catalog.lower(asked))`

const ROLES = `
  select 'role', 'role', pg_catalog.current_setting('role')
  where pg_catalog.current_setting('role') ${DIFFERS} 'none'
  union all
  select 'role', 'session_authorization', session_user::pg_catalog.text`

// Everything in a schema depends on it. What belongs to something else in there (the sequence of a serial column, the
// array type of a type) goes with it; a partitioned table belongs to its own columns.
const TEMPORARIES = `
  select 'temp', coalesce(relation.relname::pg_catalog.text, type.typname::pg_catalog.text,
    pg_catalog.concat(what.type, ' ', coalesce(routine.proname, what.name))), null
  from pg_catalog.pg_depend as thing
  left join pg_catalog.pg_class as relation
    on relation.tableoid ${EQUALS} thing.classid and relation.oid ${EQUALS} thing.objid
  left join pg_catalog.pg_proc as routine
    on routine.tableoid ${EQUALS} thing.classid and routine.oid ${EQUALS} thing.objid
  left join pg_catalog.pg_type as type
    on type.tableoid ${EQUALS} thing.classid and type.oid ${EQUALS} thing.objid
  cross join lateral pg_catalog.pg_identify_object(thing.classid, thing.objid, 0) as what
  where thing.refclassid ${EQUALS} 'pg_catalog.pg_namespace'::pg_catalog.regclass
    and thing.refobjid ${EQUALS} pg_catalog.pg_my_temp_schema()
    and not exists (
      select from pg_catalog.pg_depend as owned
      where owned.classid ${EQUALS} thing.classid and owned.objid ${EQUALS} thing.objid
        and (owned.refclassid ${DIFFERS} thing.classid or owned.refobjid ${DIFFERS} thing.objid)
        and (owned.deptype ${EQUALS} 'a' or owned.deptype ${EQUALS} 'i'))`

const PREPARED = `select 'prepared', name, null from pg_catalog.pg_prepared_statements where from_sql`

const LISTENING = `select 'listen', channel, null from pg_catalog.pg_listening_channels() as channel`

// A lock's one key of eight bytes is told in two halves, and so are its two keys of four bytes: as unsigned numbers.
const HIGH = 'classid::bigint::bit(32)'
const LOW = 'objid::bigint::bit(32)'
const ADVISORY_LOCKS = `
  select 'advisory-lock',
    case when objsubid ${EQUALS} 1::smallint then (${HIGH} ${THEN} ${LOW})::bit(64)::bigint::pg_catalog.text
      else pg_catalog.concat(${HIGH}::integer, ',', ${LOW}::integer) end
    ${THEN} case when mode ${EQUALS} 'ShareLock' then ' shared' else '' end,
    null
  from pg_catalog.pg_locks
  where locktype ${EQUALS} 'advisory' and granted and pid ${EQUALS} pg_catalog.pg_backend_pid()`

// The portal of the question itself has no name.
const CURSORS = `
  select 'cursor', name, null from pg_catalog.pg_cursors where is_holdable and name ${DIFFERS} ''`

const SLOTS = `
  select 'slot', slot_name::pg_catalog.text, null from pg_catalog.pg_replication_slots
  where temporary and active_pid ${EQUALS} pg_catalog.pg_backend_pid()`

const QUESTION = [
  SETTINGS,
  ASKED_SETTINGS,
  ROLES,
  TEMPORARIES,
  PREPARED,
  LISTENING,
  ADVISORY_LOCKS,
  CURSORS,
  SLOTS,
].join(' union all ')

/**
 * Asks the server what the session carries, in one round trip that leaves nothing behind. What it carried when it was
 * first lent is among it: compare.
 *
 * Within a transaction, what ends with it is told as well (`SET LOCAL`, locks of the transaction); a failed one can be
 * asked nothing, and is all that is told. Libraries are not told: nobody knows which of them were loaded by `LOAD`, and
 * which by the first call of a function. Nor is how often a lock is held.
 *
 * @param names settings to ask for besides those that the server lists: it does not list `app.tenant_id` and its like.
 */
export async function serverTruth(
  client: pg.Client,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<readonly SessionFact[]> {
  const status = sessionOf(client).wire?.transaction ?? 'idle'
  const transaction: SessionFact[] =
    status === 'idle' ? [] : [{ kind: 'transaction', name: 'transaction', value: status }]
  if (status === 'failed') return transaction
  // As the server sent them: whoever has parsers of types of his own wants them for his own statements.
  const question = {
    text: QUESTION,
    values: [names],
    rowMode: 'array',
    types: { getTypeParser: () => String },
  } as const
  const answer = await abortable(client.query<[PinKind, string, string | null]>(question), signal)
  const facts = answer.rows.map(([kind, name, value]) => ({ kind, name, value: value ?? undefined }))
  return [...facts, ...transaction]
}
