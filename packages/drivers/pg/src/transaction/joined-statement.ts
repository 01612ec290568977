import type { InnerRollback, JoinedTransaction, TransactionModes } from '@leasehold/core'
import type * as pg from 'pg'
import type { StatementReading, TransactionControl } from '../sql/statement-reading.js'
import { localNames, type LocalSettings } from './local-settings.js'
import { modesInForce } from './pg-transactions.js'
import { resultOf } from './result-of.js'

/** A statement on a lease that is part of a transaction around it. */
export interface JoinedStatement {
  readonly text: string
  readonly reading: StatementReading
  readonly values: readonly unknown[] | undefined
  readonly joined: JoinedTransaction
  readonly localSettings: LocalSettings
  /** Sends a statement on the lease, in turn. */
  readonly send: (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>
}

/** In the state in which only a rollback helps. */
const FAILED_TRANSACTION = '25P02'
/** They may end transactions of their own, and mostly do not. */
const MAY_END_TRANSACTIONS = new Set(['CALL', 'DO'])
const READS = new Set(['SELECT', 'VALUES', 'TABLE', 'SHOW'])
const ONE_BY_ONE = 'Send the statements that begin and end transactions one by one'
const RUN_APART = 'Run it outside of the transaction: in detached(), or with propagation not-supported'
const ASK_AT_BEGIN = 'Ask for it where the transaction begins, or use a transaction of its own (requires-new)'

/**
 * Does what a statement asks of the transaction, in place of sending it: its transactions become savepoints of the one
 * around it. Undefined for what is to be sent as it is.
 *
 * @throws {TransactionConflictError} for what would end the transaction around it, or cannot be in one.
 */
export function answerInside(statement: JoinedStatement): Promise<pg.QueryResult> | undefined {
  const { text, reading, joined, values, localSettings, send } = statement
  refuseInside(reading, joined)
  if (!reading.isPlain) {
    const [only] = reading.statements
    if (only?.control !== undefined) return control(only.control, statement)
    const { savepoint } = joined
    if (savepoint !== undefined) {
      const names = reading.statements.flatMap((each) => localNames(each, values))
      if (names.length > 0) localSettings.remember(savepoint, names, send)
    }
  }
  if (!isRead(text, reading)) joined.works()
  return undefined
}

/** Whether nothing is lost when a text is undone: it only reads, and takes no locks. What is not sure counts as work. */
function isRead(text: string, { isPlain, statements }: StatementReading): boolean {
  return isPlain && statements.every(({ command }) => READS.has(command)) && !/\b(?:for|into)\b/i.test(text)
}

/** Refuses what cannot be sent inside a transaction that others share. @throws {TransactionConflictError} */
export function refuseInside({ statements }: StatementReading, joined: JoinedTransaction): void {
  for (const { command, control: what, runsInTransaction } of statements) {
    if (what !== undefined && (statements.length > 1 || isForWhole(what))) {
      throw joined.conflict(`a text with ${command} in it was sent inside a transaction that others share`, ONE_BY_ONE)
    }
    if (!runsInTransaction && !MAY_END_TRANSACTIONS.has(command)) {
      throw joined.conflict(`${command} was sent inside a transaction, in which the server does not run it`, RUN_APART)
    }
  }
}

/** Whether it would do something to the transaction on the server that has no meaning for a savepoint. */
function isForWhole(what: TransactionControl): boolean {
  return what.is === 'prepare-transaction' || ((what.is === 'commit' || what.is === 'rollback') && what.chain)
}

function control(what: TransactionControl, statement: JoinedStatement): Promise<pg.QueryResult> {
  switch (what.is) {
    case 'begin':
      return begin(what.modes, statement)
    case 'set-modes':
      return setModes(what.modes, statement)
    case 'commit':
      return close(undefined, 'COMMIT', statement)
    case 'rollback':
      return undo(undefined, statement)
    case 'savepoint':
      return open(what.name, 'SAVEPOINT', statement)
    case 'release-savepoint':
      return close(what.name, 'RELEASE', statement)
    case 'rollback-to-savepoint':
      return undo(what.name, statement)
    case 'prepare-transaction':
    default:
      throw new Error(`bug in Leasehold: ${what.is} was to be refused`)
  }
}

async function begin(modes: TransactionModes, statement: JoinedStatement): Promise<pg.QueryResult> {
  const { joined, reading } = statement
  // pg takes the first word of what the server says.
  const tag = reading.statements[0]?.command.startsWith('START') === true ? 'START' : 'BEGIN'
  // As the server does with a second BEGIN.
  if (joined.hasInner) return resultOf(tag)
  const result = await open(undefined, tag, statement)
  try {
    // Only now, so that what is sent without waiting comes after the savepoint.
    await refuseOtherModes(modes, statement)
  } catch (error) {
    await undo(undefined, statement)
    throw error
  }
  return result
}

async function setModes(modes: TransactionModes, statement: JoinedStatement): Promise<pg.QueryResult> {
  statement.joined.works()
  await refuseOtherModes(modes, statement)
  return resultOf('SET')
}

async function refuseOtherModes(wanted: TransactionModes, { joined, send }: JoinedStatement): Promise<void> {
  const asked = Object.entries(wanted).filter(([, mode]) => mode !== undefined)
  if (asked.length === 0 || joined.isRehearsal) return
  const inForce = await modesInForce(send)
  for (const [name, mode] of asked) {
    const other = inForce[name as keyof TransactionModes]
    if (other === mode) continue
    throw joined.conflict(`${name} ${mode} was asked for inside a transaction whose ${name} is ${other}`, ASK_AT_BEGIN)
  }
}

async function open(
  alias: string | undefined,
  command: string,
  { joined, send }: JoinedStatement,
): Promise<pg.QueryResult> {
  const name = joined.open(alias)
  try {
    return tagged(await send(`SAVEPOINT ${name}`), command)
  } catch (error) {
    joined.forget(name)
    throw error
  }
}

async function close(alias: string | undefined, command: string, statement: JoinedStatement): Promise<pg.QueryResult> {
  const { joined, localSettings, send } = statement
  const end = joined.close(alias)
  if (end.is === 'none') return resultOf(command)
  const restored = localSettings.restore(end.name, send)
  if (restored !== undefined) await restored
  try {
    // Below another one it stays: then only whether the transaction has failed is to be learnt.
    return tagged(await send(end.is === 'release' ? `RELEASE SAVEPOINT ${end.name}` : 'SELECT'), command)
  } catch (error) {
    const instead = joined.failed(end.name)
    const hasFailed = (error as { code?: unknown }).code === FAILED_TRANSACTION
    if (!hasFailed || instead.is === 'none') throw error
    const undone = await sendRollback(instead, statement)
    // As the server does with the COMMIT of a failed transaction; of a failed savepoint it says so.
    if (alias !== undefined) throw error
    return undone
  }
}

function undo(alias: string | undefined, statement: JoinedStatement): Promise<pg.QueryResult> {
  return sendRollback(statement.joined.undo(alias), statement)
}

async function sendRollback(end: InnerRollback, { localSettings, send }: JoinedStatement): Promise<pg.QueryResult> {
  if (end.is === 'none') return resultOf('ROLLBACK')
  localSettings.forget(end.name)
  const undone = send(`ROLLBACK TO SAVEPOINT ${end.name}`)
  // Sent at once, so that nothing of others comes between.
  const released = end.stays ? undone : send(`RELEASE SAVEPOINT ${end.name}`)
  const [result] = await Promise.all([undone, released])
  return tagged(result, 'ROLLBACK')
}

/** The answer to a statement of the holder, as it would have come without a transaction around. */
function tagged(result: pg.QueryResult, command: string): pg.QueryResult {
  return Object.assign(result, { command, rowCount: null, rows: [] })
}
