import { markOwnFrames, type Driver, type SessionFact } from '@leasehold/core'
import { Client as PgClient } from 'pg'
import type * as pg from 'pg'
import { bareClient } from '../handle/bare-client.js'
import { leaseHandle } from '../handle/lease-handle.js'
import { resolvePreparedStatements, type PreparedStatementsOptions } from '../prepared/prepared-statements-options.js'
import { StatementNames } from '../prepared/statement-names.js'
import { warnOfProxy } from '../prepared/warn-of-proxy.js'
import { interruptStatement } from '../session/interrupt-statement.js'
import { sessionOf } from '../session/pg-session.js'
import { serverTruth } from '../session/server-truth.js'
import type { Behind } from '../settings/behind.js'
import { pgTransactions } from '../transaction/pg-transactions.js'
import { UNDECLARABLE } from '../settings/undeclarable.js'
import type { SessionEvents } from '../session/session-events.js'
import { redactLiterals } from '../sql/redact-literals.js'
import type { DeclaredFunctions } from '../sql/declared-functions.js'
import { FunctionCatalogue } from '../sql/function-catalogue.js'
import { abortable } from '../wire/abortable.js'
import { requestCancel } from '../wire/cancel-request.js'
import { quiesce } from '../wire/quiesce.js'
import { checkDriverOptions } from './check-driver-options.js'
import { classify } from './classify.js'
import { isHookFailure } from './hook-failures.js'
import { isShutdown } from './is-shutdown.js'
import { takesWrites } from './takes-writes.js'
import { dial, type DialParts, type PgConnectionConfig } from './dial.js'
import { cancelSession, destroySession, endSession } from './end-session.js'
import { resetSession } from './reset-session.js'
import { refuseNative, type ClientClass } from './refuse-native.js'

markOwnFrames(new Error('where @leasehold/pg lies'))

/** What `pgDriver` takes besides the connection settings. */
export interface PgDriverOptions {
  /** The class of the clients: a subclass of `pg.Client`, or that of another installed copy of pg. Default `pg.Client`. */
  readonly Client?: ClientClass | undefined
  /** Runs on each new connection before anybody gets it, and is awaited; when it rejects, the connection is closed. */
  readonly onConnect?: ((client: pg.Client) => unknown) | undefined
  /**
   * A statement of your own that cleans a session between two owners, in place of the recipe that undoes just what the last
   * owner did. It runs only where something is to be undone, and what hooks did to the session is then yours to restore.
   */
  readonly resetStatement?: string | undefined
  /**
   * What stands between the pool and the server. Behind `pgbouncer`, `rds-proxy` and `supavisor`, which hand sessions on
   * after each transaction, settings are declared anew in each transaction, and what a statement would leave on its session
   * is refused. `nothing` also stands for a proxy that pools whole sessions. Default: as `nothing`, but settings are refused
   * where a proxy is noticed.
   */
  readonly behind?: Behind | undefined
  /**
   * What functions of the database do to the session that calls them, by name, with or without their schema: `harmless`
   * or `stateful`. It comes before what their bodies tell; use it for those in languages that cannot be read.
   */
  readonly functions?: DeclaredFunctions | undefined
  /**
   * Whether sessions keep the statements that come often, so that the server neither reads nor plans them anew: `true`, or
   * how many and which. As in other drivers that do so, the server may choose one plan for all values of a statement's
   * parameters, and a function that is declared IMMUTABLE and is not (one that reads a setting) tells the same for ever.
   * Where a proxy is noticed in between, nothing is kept, with a warning. Default `false`.
   */
  readonly preparedStatements?: boolean | PreparedStatementsOptions | undefined
}

/**
 * Speaks to PostgreSQL through node-postgres.
 *
 * @param config what `pg.Client` takes, or a function that is asked for it before each connection, for credentials that
 * change. A name that pg would ignore is refused in an object, unless there is a `Client` of your own.
 * @throws {InvalidOptionsError} naming all that is wrong with `config` and `options`; and for pg's native binding, whose
 * sessions cannot be looked into.
 */
export function pgDriver(config: PgConnectionConfig = {}, options: PgDriverOptions = {}): Driver<pg.Client> {
  checkDriverOptions(config, options)
  const { Client, behind, functions, preparedStatements } = options
  refuseNative(Client ?? PgClient)
  return makeDriver({
    config,
    Client,
    prepare: options.onConnect,
    resetStatement: options.resetStatement,
    behind,
    functions,
    preparedStatements,
    events: undefined,
    lendsBareClients: false,
  })
}

export interface PgDriverParts extends Omit<DialParts, 'functions' | 'prepared'> {
  readonly resetStatement: string | undefined
  /** What is known of functions before the database is asked. */
  readonly functions: DeclaredFunctions | undefined
  readonly preparedStatements: boolean | PreparedStatementsOptions | undefined
  readonly events: SessionEvents | undefined
  /** The physical client itself is lent, as pg-pool does: no fence. */
  readonly lendsBareClients: boolean
}

/** The driver below a facade, which has more to say than users of `pgDriver` do. */
export function makeDriver(parts: PgDriverParts): Driver<pg.Client> {
  const lend = parts.lendsBareClients ? bareClient : leaseHandle
  const functions = new FunctionCatalogue()
  if (parts.functions !== undefined) functions.declare(parts.functions)
  const kept = resolvePreparedStatements(parts.preparedStatements)
  const prepared = kept === undefined ? undefined : { names: new StatementNames(kept), refused: warnOfProxy() }
  return {
    name: 'pg',
    connect: (signal) => dial({ ...parts, functions, prepared }, signal),
    check: (client, signal) => check(client, signal),
    watch: (client, observer) => sessionOf(client).observe(observer),
    reset: (client, ledger, signal) => resetSession(sessionOf(client), ledger, parts.resetStatement, signal),
    truth: async (client, names, signal) => {
      const ask = (): Promise<readonly SessionFact[]> => serverTruth(client, names, signal)
      const { wire } = sessionOf(client)
      return wire === undefined ? ask() : wire.unbooked(ask)
    },
    close: (client) => endSession(sessionOf(client)),
    classify: (error) => (isHookFailure(error) ? 'query' : classify(error)),
    isShutdown,
    takesWrites: (client, signal) => takesWrites(client, signal),
    lend: (client, gate) => lend(sessionOf(client), gate),
    quiesce: async (client, signal) => {
      const { wire, connection, makeStream } = sessionOf(client)
      if (wire === undefined || connection === undefined) return
      await quiesce({ client, connection, wire, cancel: () => requestCancel(client, makeStream) }, signal)
    },
    ...(parts.lendsBareClients
      ? {}
      : { interrupt: (client, gate, error) => interruptStatement(sessionOf(client), gate, error) }),
    cancel: (client) => cancelSession(sessionOf(client)),
    destroy: (client) => destroySession(sessionOf(client)),
    hold: (client, alive) => hold(client, alive),
    // A bare client's statements go out as they come: nothing could go ahead of them.
    ...(parts.lendsBareClients ? {} : { transaction: pgTransactions }),
    ...(parts.lendsBareClients ? {} : { declare: (client, difference) => sessionOf(client).declare(difference) }),
    undeclarable: UNDECLARABLE,
    redact: redactLiterals,
  }
}

/** What the server has told of its parameters (`server_version`, `TimeZone`, …), of a client or of a handle. */
export function serverParameters(client: pg.Client): ReadonlyMap<string, string> {
  return sessionOf(client).wire?.parameters ?? new Map<string, string>()
}

/** An empty query: one round trip, and nothing for the server to do. */
async function check(client: pg.Client, signal: AbortSignal | undefined): Promise<void> {
  const { wire } = sessionOf(client)
  if (wire === undefined) return
  if (wire.lostBy !== undefined) throw wire.lostBy
  await abortable(client.query(''), signal)
}

/** A stand-in for a client may have no socket to hold. */
function hold(client: pg.Client, alive: boolean): void {
  const { ref, unref } = client as { ref?: () => void; unref?: () => void }
  ;(alive ? ref : unref)?.call(client)
}
