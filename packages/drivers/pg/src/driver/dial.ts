import { Client as PgClient } from 'pg'
import type * as pg from 'pg'
import { abortable } from '../wire/abortable.js'
import type { FunctionCatalogue } from '../sql/function-catalogue.js'
import type { SessionEvents } from '../session/session-events.js'
import type { StatementNames } from '../prepared/statement-names.js'
import { PgSession } from '../session/pg-session.js'
import type { Behind } from '../settings/behind.js'
import { destroySession, endSession } from './end-session.js'
import { noteHookFailure } from './hook-failures.js'
import type { ClientClass } from './refuse-native.js'

/** Connection settings: an object, a connection string, or a function that is asked for each connection. */
export type PgConnectionConfig =
  string | pg.ClientConfig | (() => string | pg.ClientConfig | Promise<string | pg.ClientConfig>)

export interface DialParts {
  readonly config: PgConnectionConfig
  readonly Client: ClientClass | undefined
  /** Runs on each new connection before anybody gets it; when it rejects, the connection is closed. */
  readonly prepare: ((client: pg.Client) => unknown) | undefined
  readonly events: SessionEvents | undefined
  /** What functions of this database do to the session that calls them. */
  readonly functions: FunctionCatalogue
  /** What stands between the pool and the server. */
  readonly behind: Behind | undefined
  /** Statements that sessions keep, where they are to. */
  readonly prepared: { readonly names: StatementNames; readonly refused: () => void } | undefined
}

/** Opens one connection. When `signal` aborts, it rejects, and leaves no socket. */
export function dial(parts: DialParts, signal: AbortSignal): Promise<pg.Client> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  const { config } = parts
  // Without a turn of the event loop where there is nothing to wait for: the client counts from this moment on.
  if (typeof config !== 'function') return openAndPrepare(parts, config, signal)
  return abortable(Promise.resolve().then(config), signal).then((made) => openAndPrepare(parts, made, signal))
}

async function openAndPrepare(
  parts: DialParts,
  config: string | pg.ClientConfig,
  signal: AbortSignal,
): Promise<pg.Client> {
  const session = await open(parts, config, signal)
  if (parts.prepare === undefined) return session.client
  try {
    await abortable(Promise.resolve(session.client).then(parts.prepare), signal)
    return session.client
  } catch (error) {
    if (!signal.aborted && session.wire?.lostBy === undefined) noteHookFailure(error)
    if (signal.aborted) destroySession(session)
    else await abortable(endSession(session), signal).catch(() => destroySession(session))
    throw error
  }
}

function open(parts: DialParts, config: string | pg.ClientConfig, signal: AbortSignal): Promise<PgSession> {
  const Client = (parts.Client ?? PgClient) as typeof PgClient
  const client = new Client(config)
  const session = new PgSession(client, typeof config === 'string' ? undefined : config, parts.functions, parts.events)
  session.behind = parts.behind
  if (parts.prepared !== undefined) session.keepStatements(parts.prepared.names, parts.prepared.refused)
  return new Promise((resolve, reject) => {
    const giveUp = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      destroySession(session)
      reject(error)
    }
    const onAbort = (): void => giveUp(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    // With a callback, and nothing but `on` besides: that is all that stand-ins for a client offer.
    client.connect((error: Error | null | undefined) => {
      // pg can come alive again after its socket was destroyed, if that happened before it had begun to connect.
      if (session.isClosing) destroySession(session)
      else if (error) giveUp(error)
      else {
        signal.removeEventListener('abort', onAbort)
        session.connected()
        resolve(session)
      }
    })
  })
}
