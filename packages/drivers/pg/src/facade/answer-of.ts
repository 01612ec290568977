import type * as pg from 'pg'
import type { LeaseHandle } from '../handle/handle-fields.js'
import { giveBack } from '../handle/lease-handle.js'
import { isSubmittable, submit } from '../handle/leased-statements.js'
import type { PgSubmittable } from '../wire/pg-connection.js'

type Callback = (error?: Error, result?: unknown) => void

interface Asked {
  query(statement: unknown, values?: unknown, callback?: Callback): unknown
}

/**
 * Runs the statement of a `pool.query` on a fenced client, and gives the client back whatever becomes of it.
 *
 * @param observes whether the pool only observes: it hands on what was left on a session, as pg-pool does, and so must
 * close the connection after an error as well. Otherwise a failed transaction that was left would fail everybody after.
 */
export async function answerOf(
  client: pg.PoolClient,
  statement: unknown,
  values: unknown,
  observes: boolean,
): Promise<unknown> {
  const handle = client as unknown as LeaseHandle
  if (isSubmittable(statement)) return answerOfSubmittable(handle, statement, values)
  try {
    const result = await ask(client, statement, values)
    giveBack(handle)
    return result
  } catch (error) {
    // pg-pool closes the connection after an error; one of the statement's own costs nothing, and one of the
    // connection's is known by the wire.
    giveBack(handle, observes ? error : undefined)
    throw error
  }
}

/** The same as pg-pool does it: an error of whatever kind closes the connection. */
export async function answerOfBare(client: pg.PoolClient, statement: unknown, values: unknown): Promise<unknown> {
  try {
    const result = await ask(client, statement, values)
    client.release()
    return result
  } catch (error) {
    client.release(error as Error)
    throw error
  }
}

/** Gives the connection back when it is done with the Submittable: not each of them has a callback to call. */
function answerOfSubmittable(handle: LeaseHandle, submittable: PgSubmittable, values: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answer: Callback = (error, result) => (error ? reject(error) : resolve(result))
    submit(handle, submittable, values, answer, () => {
      giveBack(handle)
      resolve(undefined)
    })
  })
}

async function ask(client: pg.PoolClient, statement: unknown, values: unknown): Promise<unknown> {
  const asked = client as Asked
  // A config with a callback of its own, and a Submittable, would not return a promise.
  const isObject = typeof statement === 'object' && statement !== null
  if (!isObject || !('callback' in statement || 'submit' in statement)) return asked.query(statement, values)
  return new Promise((resolve, reject) => {
    asked.query(statement, values, (error, result) => (error ? reject(error) : resolve(result)))
  })
}
