// oxlint-disable eslint/no-underscore-dangle -- pg's own private names: all that are touched, in one place
import type * as pg from 'pg'
import type { PgConnection } from './pg-connection.js'

/** Fields that pg and pg-pool keep to themselves, and that have been there since their version 7. */
interface ClientPrivates {
  readonly _ending?: boolean
  _poolUseCount?: number
}

/** What pg runs at the moment: a query of its own, or a Submittable. */
export interface ActiveQuery {
  callback?: ((error?: Error) => void) | undefined
  readonly [name: symbol]: ((error: Error) => void) | undefined
}

export function activeQueryOf(client: pg.Client): ActiveQuery | undefined {
  const privates = client as unknown as {
    readonly _activeQuery?: ActiveQuery | null
    readonly activeQuery?: ActiveQuery | null
  }
  // The plain name is that of pg 8.16; where both are there, reading it warns of its end.
  return ('_activeQuery' in client ? privates._activeQuery : privates.activeQuery) ?? undefined
}

/** What a connection of pg's own was made with; undefined for one of another make, or one that is in use. */
export function configOf(connection: PgConnection): object | undefined {
  const { _keepAlive: keepAlive, _keepAliveInitialDelayMillis: keepAliveInitialDelayMillis } = connection as {
    readonly _keepAlive?: unknown
    readonly _keepAliveInitialDelayMillis?: unknown
  }
  if (keepAlive === undefined || '_connecting' in connection) return undefined
  const { stream, ssl, sslNegotiation } = connection
  return { stream, ssl, sslNegotiation, keepAlive, keepAliveInitialDelayMillis }
}

/** From now on pg does not report the end of the connection as an error. */
export function expectEnd(connection: PgConnection): void {
  const privates = connection as unknown as { _ending: boolean }
  privates._ending = true
}

/** Whether somebody has called `client.end()`. */
export function isEnding(client: pg.Client): boolean {
  return (client as unknown as ClientPrivates)._ending === true
}

/** Counts one more use of a client where pg-pool does; others read it there. Returns how often it was used. */
export function countUse(client: pg.Client): number {
  const privates = client as unknown as ClientPrivates
  privates._poolUseCount = (privates._poolUseCount ?? 0) + 1
  return privates._poolUseCount
}

/** Whether a class is pg's JavaScript client, or derived from it. */
export function speaksProtocol(prototype: object): boolean {
  return (prototype as { _attachListeners?: unknown })._attachListeners !== undefined
}
