import { cancelRunning } from '../wire/cancel-running.js'
import { requestCancel } from '../wire/cancel-request.js'
import { expectEnd } from '../wire/pg-privates.js'
import type { PgSession } from '../session/pg-session.js'

/**
 * Says farewell and resolves when the socket is closed. What runs is cancelled first: the server would go on with it for
 * whoever has left.
 */
export function endSession(session: PgSession): Promise<void> {
  const { wire } = session
  session.closing()
  if (wire?.isRunning === true && wire.lostBy === undefined) {
    return cancelSession(session)
      .catch(() => {})
      .then(() => farewell(session))
  }
  return farewell(session)
}

/** Cancels the statement that runs. Resolves when the requests for it can hit nothing any more. */
export function cancelSession({ wire, client, makeStream }: PgSession): Promise<void> {
  const send = (): Promise<void> => requestCancel(client, makeStream)
  return wire === undefined ? send() : cancelRunning(wire, send)
}

/** Closes at once and without farewell. */
export function destroySession(session: PgSession): void {
  const { connection } = session
  session.closing()
  if (connection === undefined) {
    endQuietly(session, () => {})
  } else {
    expectEnd(connection)
    connection.stream.destroy()
  }
  session.closed()
}

function farewell(session: PgSession): Promise<void> {
  return new Promise<void>((resolve) => {
    const done = (): void => {
      session.closed()
      resolve()
    }
    if (session.wire?.hasEnded === true) done()
    else {
      session.connection?.once('end', done)
      endQuietly(session, done)
    }
  })
}

function endQuietly(session: PgSession, done: () => void): void {
  const client = session.client as { end?: (callback: () => void) => unknown }
  if (typeof client.end === 'function') client.end(done)
  else done()
}
