import type * as pg from 'pg'
import { nextTick } from '../session/event-loop.js'
import { type PgSession, SESSION } from '../session/pg-session.js'
import type { PgSubmittable } from '../wire/pg-connection.js'
import { GATE, type LeaseHandle, NUMBER } from './handle-fields.js'
import { giveBack } from './lease-handle.js'
import { isSubmittable, sendStatement, sendTo, submit } from './leased-statements.js'
import { ownConfig } from './own-config.js'

type Callback = (error?: unknown, result?: unknown) => void

const OF: unique symbol = Symbol('leasehold.handle')
const IS_KEPT: unique symbol = Symbol('leasehold.is-kept')
const TOLD: unique symbol = Symbol('leasehold.told')

/** The connection says by itself when it is done. */
const LATER = Symbol('later')

/** A handle for one statement, as its own methods see it. All else falls through, as it does from other handles. */
interface LoneHandle extends LeaseHandle {
  readonly [OF]: LeaseHandle
  readonly [IS_KEPT]: boolean
  /** The statement's own error, or `LATER`. */
  [TOLD]: unknown
}

/** What pg-pool's own `query` calls, which passes on what its callback is told. */
const LONE: PropertyDescriptorMap = {
  query: method(function (this: LoneHandle, statement: unknown, values?: unknown, callback?: unknown): unknown {
    if (typeof callback !== 'function') return sendStatement(this[OF], statement, values, callback)
    if (isSubmittable(statement)) submitAlone(this, statement, values, callback as Callback)
    else sendAlone(this, statement, values, callback as Callback)
    return undefined
  }),
  release: method(function (this: LoneHandle, said?: unknown): void {
    const told = this[TOLD]
    if (told === LATER) return
    // pg-pool closes the connection after an error; one of the statement's own costs nothing, and one of the
    // connection's is known by the wire.
    giveBack(this[OF], said === told && this[IS_KEPT] ? undefined : said)
  }),
  // The statement is told of the connection's end as well.
  once: method(function (this: LoneHandle, event: string, listener: () => void): LoneHandle {
    if (event !== 'error') this[OF].once(event, listener)
    return this
  }),
  removeListener: method(function (this: LoneHandle, event: string, listener: () => void): LoneHandle {
    if (event !== 'error') this[OF].removeListener(event, listener)
    return this
  }),
}

function method(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true }
}

/**
 * The handle of a lease that is for one statement of `pool.query`. A callback all the way down: a promise for each step took
 * a tenth of a query's time.
 *
 * @param observes whether the pool only observes: it hands on what was left on a session, as pg-pool does, and so must
 * close the connection after an error as well. Otherwise a failed transaction that was left would fail everybody after.
 */
export function loneHandle(client: pg.PoolClient, observes: boolean): pg.PoolClient {
  const handle = client as unknown as LeaseHandle
  const session = handle[SESSION]
  session.LoneHandle ??= loneClassOf(handle)
  return new session.LoneHandle(handle, !observes) as pg.PoolClient
}

/** Made once for a connection, like the class of its other handles. */
function loneClassOf(handle: LeaseHandle): NonNullable<PgSession['LoneHandle']> {
  function Handle(this: { -readonly [Name in keyof LoneHandle]: LoneHandle[Name] }, of: LeaseHandle, isKept: boolean) {
    this[OF] = of
    this[GATE] = of[GATE]
    this[NUMBER] = of[NUMBER]
    this[IS_KEPT] = isKept
    this[TOLD] = undefined
  }
  Handle.prototype = Object.create(Object.getPrototypeOf(handle) as object, {
    ...LONE,
    // Or setting them would pass the client's proxy.
    [OF]: { value: undefined, writable: true },
    [IS_KEPT]: { value: undefined, writable: true },
    [TOLD]: { value: undefined, writable: true },
  }) as object
  return Handle as unknown as NonNullable<PgSession['LoneHandle']>
}

function submitAlone(lone: LoneHandle, submittable: PgSubmittable, values: unknown, answer: Callback): void {
  const handle = lone[OF]
  // Not each Submittable has a callback to call.
  lone[TOLD] = LATER
  submit(handle, submittable, values, answer, () => {
    giveBack(handle)
    answer()
  })
}

function sendAlone(lone: LoneHandle, statement: unknown, values: unknown, answer: Callback): void {
  let isAnswered = false
  try {
    sendTo(lone[OF], ownConfig(statement), values, (error, result) => {
      // After values that do not serialize pg tells of the server's "ready" as well, or of an end that came before it: a second
      // failure would be nobody's, and end the process.
      if (isAnswered) return
      isAnswered = true
      if (!error) return answer(undefined, result)
      lone[TOLD] = error
      // pg tells of an error before it reads the server's "ready", which has mostly come along: a moment later the
      // session is known to be clean.
      nextTick(answer, error)
    })
  } catch (error) {
    lone[TOLD] = error
    throw error
  }
}
