import type { drizzle } from 'drizzle-orm/node-postgres'

// Read off the installed Drizzle, since its two supported versions share no names: what 0.45 calls `schema`, and types
// as `DrizzleConfig`, 1.0 calls `relations`, and types as `DrizzlePgConfig`.

/** What `drizzle()` takes beside a connection. */
type AnyConfig = NonNullable<Parameters<typeof drizzle.mock>[0]>

type TablesOption = Extract<keyof AnyConfig, 'schema' | 'relations'>

/** What relational queries may be told of: a schema in Drizzle 0.45, relations in 1.0. */
export type DrizzleTables = NonNullable<AnyConfig[TablesOption]>

/** What `drizzle()` assumes where it was told of none. */
// oxlint-disable-next-line typescript/no-empty-object-type typescript/ban-types -- Drizzle's own default
export type NoDrizzleTables = TablesOption extends 'relations' ? {} : Record<string, never>

/** What `drizzle()` takes, without a connection. */
export type LeasedDrizzleConfig<Tables extends DrizzleTables = NoDrizzleTables> = Omit<AnyConfig, TablesOption> & {
  readonly [Name in TablesOption]?: Tables
}
