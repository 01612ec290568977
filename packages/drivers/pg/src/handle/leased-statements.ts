import { bindToContext, type LeaseGate } from '@leasehold/core'
import type * as pg from 'pg'
import { isLocalEffect } from '../sql/is-local-effect.js'
import { readCached } from '../sql/read-cached.js'
import type { StatementReading } from '../sql/statement-reading.js'
import { textOf } from '../sql/text-of.js'
import { nextTick } from '../session/event-loop.js'
import { refusalOf } from '../session/refusal-of.js'
import { type PgSession, SESSION } from '../session/pg-session.js'
import { isPooled } from '../settings/behind.js'
import { PooledEffectError } from '../settings/pooled-effect-error.js'
import type { PgSubmittable } from '../wire/pg-connection.js'
import { askUncopied } from './ask-uncopied.js'
import { copyOf } from './copy-of.js'
import { GATE, type LeaseHandle } from './handle-fields.js'
import { answerInside, refuseInside } from '../transaction/joined-statement.js'
import { inTransactionTurn } from './in-transaction-turn.js'
import { deliverError, SubmittableFence } from './submittable-fence.js'
import { waitForTurn } from './wait-for-turn.js'

type Callback = (error?: unknown, result?: unknown) => void

/** `client.query` of a handle: in all of pg's forms, in the lease's time only, in turn, in the caller's context. */
export function sendStatement(handle: LeaseHandle, statement: unknown, values?: unknown, callback?: unknown): unknown {
  if (statement === null || statement === undefined) {
    throw new TypeError('Client was passed a null or undefined query')
  }
  if (isSubmittable(statement)) return submit(handle, statement, values, callback)
  const called = callback ?? (typeof values === 'function' ? values : (statement as { callback?: unknown }).callback)
  if (called !== undefined && called !== null) {
    if (typeof called !== 'function') throw new TypeError('callback is not a function')
    sendTo(handle, statement, typeof values === 'function' ? undefined : values, bindToContext(called as Callback))
    return undefined
  }
  const { joined } = handle[GATE]
  return joined === undefined
    ? sendNow(handle, statement, values)
    : inTransactionTurn(joined, statement, (own) => sendNow(handle, own, values))
}

function sendNow(handle: LeaseHandle, statement: unknown, values: unknown): unknown {
  const session = handle[SESSION]
  const gate = handle[GATE]
  const refusal = refuses(session, gate, statement, values)
  if (refusal !== undefined) return Promise.reject(refusal)
  const answered = answerAtOnce(session, gate, statement, values)
  if (answered !== undefined) return answered
  if (session.turns.areFreeFor(gate, statement, values)) return ask(session, gate, statement, values)
  return inTurn(session, gate, copyOf(statement), values)
}

/** Sends a statement whose outcome `answer` is told: as it is, in whatever context pg comes to know of it. */
export function sendTo(handle: LeaseHandle, statement: unknown, values: unknown, answer: Callback): void {
  const { joined } = handle[GATE]
  if (joined === undefined) return sendToNow(handle, statement, values, answer)
  const refuse = (error: unknown): void => nextTick(answer, error)
  void inTransactionTurn(joined, statement, (own) => sendToNow(handle, own, values, answer), refuse)
}

function sendToNow(handle: LeaseHandle, statement: unknown, values: unknown, answer: Callback): void {
  const session = handle[SESSION]
  const gate = handle[GATE]
  const refusal = refuses(session, gate, statement, values)
  const answered = refusal === undefined ? answerAtOnce(session, gate, statement, values) : undefined
  if (refusal !== undefined) nextTick(answer, refusal)
  else if (answered !== undefined) {
    answered.then(
      (result) => nextTick(answer, undefined, result),
      (error: unknown) => nextTick(answer, error),
    )
  } else if (session.turns.areFreeFor(gate, statement, values)) ask(session, gate, statement, values, answer)
  else {
    const kept = copyOf(statement)
    waitForTurn(session, {
      gate,
      statement: kept,
      values,
      isIntroduction: session.isIntroducing,
      start: bindToContext(() => {
        try {
          ask(session, gate, kept, values, answer)
        } catch (error) {
          answer(error)
        }
      }),
      refuse: (error) => nextTick(answer, error),
    })
  }
}

/** Sends a Submittable through a handle; `over` is called when the connection is done with it. */
export function submit(
  handle: LeaseHandle,
  submittable: PgSubmittable,
  values?: unknown,
  callback?: unknown,
  over?: () => void,
): PgSubmittable {
  const called = typeof values === 'function' ? values : callback
  // pg sets it on the Submittable itself, unless it has one.
  if (typeof called === 'function' && !submittable.callback) submittable.callback = bindToContext(called as Callback)
  const { joined } = handle[GATE]
  if (joined === undefined) return submitNow(handle, submittable, over)
  const refuse = (error: Error): void => {
    deliverError(submittable, error)
    over?.()
  }
  // The Submittable itself is kept, and no copy: whoever waits for it listens there.
  if (joined.takeTurn(() => void submitNow(handle, submittable, over), refuse)) submitNow(handle, submittable, over)
  return submittable
}

function submitNow(handle: LeaseHandle, submittable: PgSubmittable, over: (() => void) | undefined): PgSubmittable {
  const session = handle[SESSION]
  const gate = handle[GATE]
  const refusal = refuses(session, gate, submittable) ?? refusalInside(gate, submittable)
  if (refusal !== undefined) {
    nextTick(() => {
      deliverError(submittable, refusal)
      over?.()
    })
    return submittable
  }
  const fence = new SubmittableFence(submittable, session, gate, over)
  const start = (): void => {
    fence.goesOut()
    ask(session, gate, fence.face)
  }
  if (session.turns.areFreeFor(gate, undefined, undefined)) start()
  else {
    waitForTurn(session, {
      gate,
      statement: undefined,
      values: undefined,
      isIntroduction: session.isIntroducing,
      start: bindToContext(start),
      refuse: (error) => fence.sever(error),
    })
  }
  return submittable
}

/** `client.end` of a handle: the holder closes the connection, which is then not lent again. */
export function endByHolder(handle: LeaseHandle, callback?: Callback): Promise<void> | undefined {
  const session = handle[SESSION]
  const refusal = refusalOf(handle[GATE], 'end')
  const bound = callback === undefined ? undefined : bindToContext(callback)
  if (refusal !== undefined) {
    if (bound === undefined) return Promise.reject(refusal)
    nextTick(bound, refusal)
    return undefined
  }
  session.lose(new Error('the connection was ended by its holder'))
  if (bound === undefined) return session.client.end()
  session.client.end(bound)
  return undefined
}

/** Gives a statement to pg. */
function ask(session: PgSession, gate: LeaseGate, statement: unknown, values?: unknown, callback?: unknown): unknown {
  session.sender = gate
  if (session.begin.isDueFor(gate)) session.begin.goWithNext()
  return askUncopied(session.client, statement, values, callback)
}

/** What becomes of a statement that is not to be sent as it is, or not now. */
function answerAtOnce(
  session: PgSession,
  gate: LeaseGate,
  statement: unknown,
  values: unknown,
): Promise<unknown> | undefined {
  if (gate.joined !== undefined) return askInside(session, gate, statement, values)
  const unsent = session.begin.answer(gate, statement)
  return unsent && Promise.resolve(unsent)
}

/** What becomes of a statement inside a transaction around the lease; undefined: it is sent as it is. */
function askInside(
  session: PgSession,
  gate: LeaseGate,
  statement: unknown,
  values: unknown,
): Promise<unknown> | undefined {
  const text = textOf(statement)
  if (gate.joined === undefined || text === undefined) return undefined
  const { apart } = gate.joined
  const reading = readCached(text)
  // In the context of its own transaction it comes here once more.
  if (apart !== undefined && reading.statements.every(({ control }) => control === undefined)) {
    const kept = copyOf(statement)
    return apart(
      () => askInside(session, gate, kept, values) ?? Promise.resolve(askInTurn(session, gate, kept, values)),
    )
  }
  try {
    return answerInside({
      text,
      reading,
      values: valuesOf(statement, values),
      joined: gate.joined,
      localSettings: session.localSettings,
      send: (own, ownValues) => askInTurn(session, gate, own, ownValues) as Promise<pg.QueryResult>,
    })
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Why a Submittable must not be sent inside a transaction around the lease: no other statement could take its place. */
function refusalInside({ joined }: LeaseGate, submittable: PgSubmittable): Error | undefined {
  if (joined === undefined) return undefined
  const text = textOf(submittable)
  const reading = text === undefined ? undefined : readCached(text)
  try {
    if (reading?.statements.some(({ control }) => control !== undefined) === true) {
      throw joined.conflict('a statement that begins or ends a transaction was sent as an object', 'Send it as a text')
    }
    if (reading !== undefined) refuseInside(reading, joined)
    joined.works()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function askInTurn(session: PgSession, gate: LeaseGate, statement: unknown, values?: unknown): unknown {
  const isFree = session.turns.areFreeFor(gate, statement, values)
  return isFree ? ask(session, gate, statement, values) : inTurn(session, gate, statement, values)
}

export function isSubmittable(statement: unknown): statement is PgSubmittable {
  return typeof (statement as { submit?: unknown } | null | undefined)?.submit === 'function'
}

/** Why the statement must not be sent, if it must not. */
function refuses(session: PgSession, gate: LeaseGate, statement: unknown, values?: unknown): Error | undefined {
  try {
    gate.pass('query')
    if (gate.refusal !== undefined && !endsAPart(statement)) return gate.refusal
    const text = textOf(statement)
    if (text !== undefined) {
      const reading = readCached(text)
      if (!reading.isPlain) foresee(session, gate, { text, values: valuesOf(statement, values) }, reading)
      if (session.sequences.mustClearBefore(reading, gate.owner)) clearSequences(session, gate)
    }
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** What is bound to the statement, in whichever of pg's places it stands. */
function valuesOf(statement: unknown, values: unknown): readonly unknown[] | undefined {
  const bound = values ?? (statement as { values?: unknown }).values
  return Array.isArray(bound) ? bound : undefined
}

/** What may be sent though the lease's holder has aborted: it undoes a transaction, or tidies up in it. */
const ENDS_A_PART: ReadonlySet<string | undefined> = new Set(['rollback', 'rollback-to-savepoint', 'release-savepoint'])

/** Whether it ends a transaction without keeping what was done in it, or a part of one. */
function endsAPart(statement: unknown): boolean {
  const text = textOf(statement)
  const statements = text === undefined ? [] : readCached(text).statements
  return statements.length > 0 && statements.every(({ control }) => ENDS_A_PART.has(control?.is))
}

/** What is known before the statement is sent: whether the mode allows it, and where a pin was issued. */
function foresee(
  session: PgSession,
  gate: LeaseGate,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] | undefined },
  { statements }: StatementReading,
): void {
  for (const { control, effects } of statements) {
    if (control?.is === 'begin') gate.refuseTransaction()
    const pin = effects.find((effect) => effect.does === 'set' && !isLocalEffect(effect, values))
    if (pin === undefined) continue
    const effect = typeof pin.name === 'string' ? `${pin.kind} ${pin.name}` : pin.kind
    if (isPooled(session.behind)) throw new PooledEffectError(effect, session.behind)
    gate.refusePin(effect)
    session.noteIntroduction(text)
    const site = gate.siteOf(sendStatement)
    if (site !== undefined) session.notePinSite(text, site)
  }
}

/** Goes ahead of what is sent next. Where it fails, that fails as well: the transaction has failed, or the session is dead. */
function clearSequences(session: PgSession, gate: LeaseGate): void {
  const cleared = askInTurn(session, gate, 'DISCARD SEQUENCES')
  ;(cleared as Promise<unknown>).catch(() => {})
}

function inTurn(session: PgSession, gate: LeaseGate, statement: unknown, values: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // The inner promise turns what pg throws at once into a rejection.
    const start = (): void => resolve(new Promise((answer) => answer(ask(session, gate, statement, values))))
    waitForTurn(session, {
      gate,
      statement,
      values,
      isIntroduction: session.isIntroducing,
      start: bindToContext(start),
      refuse: reject,
    })
  })
}
