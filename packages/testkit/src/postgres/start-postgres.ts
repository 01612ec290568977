import { launchEmbeddedPostgres } from './launch-embedded-postgres.js'
import type { PostgresServer } from './postgres-server.js'

/**
 * A PostgreSQL to run against: the one that `DATABASE_URL` names, or else a fresh one of our own, which lives until
 * `stop()` or until this process is gone, in whatever way it goes.
 */
export async function startPostgres(
  options: {
    /** Of an embedded server; 100 by default. */
    readonly maxConnections?: number
    /** More server settings (`postgres -c name=value`) of an embedded server. */
    readonly settings?: Readonly<Record<string, string>>
    /** True: a server of our own even if `DATABASE_URL` is set, for those who want to break it. */
    readonly embedded?: boolean
  } = {},
): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL']
  if (given && !options.embedded) return serverAt(given)
  return launchEmbeddedPostgres({ max_connections: String(options.maxConnections ?? 100), ...options.settings })
}

function serverAt(url: string): PostgresServer {
  const { hostname, port, username, password, pathname } = new URL(url)
  const user = decodeURIComponent(username)
  return {
    url,
    host: hostname,
    port: Number(port || 5432),
    user,
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)) || user,
    stop: async () => {},
  }
}
