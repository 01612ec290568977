/** A running PostgreSQL, and how to reach and to end it. */
export interface PostgresServer {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Ends the server and removes its folder. Calling it again is harmless; on a server that is not ours it does nothing. */
  readonly stop: () => Promise<void>
}
