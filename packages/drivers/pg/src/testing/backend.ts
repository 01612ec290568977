import type * as pg from 'pg'

/** The server's process of a session. */
export function backendOf(client: pg.Client): number {
  return (client as unknown as { processID: number }).processID
}

/** Ends the session from the server's side. */
export async function kill(
  admin: { query(text: string, values: unknown[]): Promise<unknown> },
  backend: number,
): Promise<void> {
  await admin.query('select pg_terminate_backend($1)', [backend])
}
