import type { FaultProxy } from '../fault-proxy/index.js'
import type { RestartablePostgres } from '../postgres/index.js'
import type { Journal } from './journal.js'

/** What a trouble is made on. */
export interface Stage {
  /** Stands between the callers and the server. */
  readonly proxy: FaultProxy
  readonly server: RestartablePostgres
  /** The sessions of the callers, as the server knows them. */
  readonly applicationName: string
  /** Runs a statement on the server itself, as its administrator and past the proxy. */
  ask<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** Something that happens to a database while it is used. */
export interface Trouble {
  readonly name: string
  /** How long it lasts. Default 600. */
  readonly lastsMs?: number
  /** Makes it. */
  begin(stage: Stage): Promise<void>
  /** Ends it: from here on the service is expected back. */
  end(stage: Stage): Promise<void>
}

/** What a trouble did to its callers. */
export interface Aftermath {
  readonly trouble: string
  /** From the trouble's beginning until the first caller was told; undefined if all were served. */
  readonly firstKnowsMs: number | undefined
  readonly refused: number
  /** How long a refused caller waited at most. */
  readonly longestMs: number
  /** Refused because the circuit was open, and how long half of them waited: some were there when it opened. */
  readonly shed: { readonly callers: number; readonly medianMs: number }
  /** What the server, or who stood there in its place, saw until the service was back. */
  readonly dials: number
  /** From the trouble's end until each writer had been served; undefined if that did not come about in time. */
  readonly backAfterMs: number | undefined
  /** Why the service is not back. */
  readonly notBack: Error | undefined
  readonly journal: Journal
}
