import type * as pg from 'pg'

/** The server's process of a session. */
export function backendOf(client: pg.Client): number {
  return (client as unknown as { processID: number }).processID
}

/** The server's process of the session on which a query of the pool runs. */
export async function backendIn(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ backend: number }>('select pg_backend_pid() as backend')
  return rows[0]?.backend ?? 0
}

/** Ends the session from the server's side. */
export async function kill(
  admin: { query(text: string, values: unknown[]): Promise<unknown> },
  backend: number,
): Promise<void> {
  await admin.query('select pg_terminate_backend($1)', [backend])
}
