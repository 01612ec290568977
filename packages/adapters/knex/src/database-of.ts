import type { LeasedPgPool } from '@leasehold/pg'

/** What may be shown of the settings of a pool's connections. */
export interface ShownDatabase {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly user: string | undefined
  readonly database: string | undefined
}

/** Which database a pool is for, as far as its options say: Knex has it in `client.connectionSettings`, without a password. */
export function databaseOf({ options }: LeasedPgPool): ShownDatabase {
  const { connectionString } = options
  const url = connectionString !== undefined && URL.canParse(connectionString) ? new URL(connectionString) : undefined
  const { host, port, user, database } = options
  return {
    host: url?.hostname || host,
    port: Number(url?.port) || port,
    user: url === undefined || url.username === '' ? user : decodeURIComponent(url.username),
    database: url === undefined || url.pathname.length < 2 ? database : decodeURIComponent(url.pathname.slice(1)),
  }
}
