import type { SessionEffect } from '@leasehold/core'

/** A number `n` stands for the value bound to `$n`. */
export interface BoundValue {
  readonly parameter: number
}

/**
 * A name that is put together from bound values. Parts, where there are several, follow each other without a space:
 * `[{ parameter: 1 }, ',', { parameter: 2 }, ' shared']`.
 */
export type BoundName = BoundValue | ReadonlyArray<string | BoundValue>

/** What a statement does to the session, as far as its text tells; bound values are put in when it is booked. */
export interface ReadEffect extends Omit<SessionEffect, 'name'> {
  readonly name: string | BoundName | undefined
  /** It ends with the transaction (`SET LOCAL`, `set_config(…, true)`, `ON COMMIT DROP`, a cursor without hold), so that it never pins. */
  readonly isLocal: boolean
  /** It is local if this bound value is true (`set_config($1, $2, $3)`); overrides `isLocal` where the value is known. */
  readonly isLocalIf: BoundValue | undefined
}

export interface TransactionModes {
  readonly isolation: 'serializable' | 'repeatable read' | 'read committed' | 'read uncommitted' | undefined
  readonly readOnly: boolean | undefined
  readonly deferrable: boolean | undefined
}

/** Statements that begin, end or divide a transaction. */
export type TransactionControl =
  | { readonly is: 'begin'; readonly modes: TransactionModes }
  /** `SET TRANSACTION …` */
  | { readonly is: 'set-modes'; readonly modes: TransactionModes }
  | { readonly is: 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly is: 'savepoint' | 'release-savepoint' | 'rollback-to-savepoint'; readonly name: string }
  /** `PREPARE TRANSACTION`: the transaction leaves the session, and its session effects stay. */
  | { readonly is: 'prepare-transaction' }

/** One statement of a text. */
export interface ReadStatement {
  /** Its leading word or words in upper case, as in a command tag: `SELECT`, `SET`, `CREATE TABLE`, `WITH`, `COPY`. */
  readonly command: string
  readonly control: TransactionControl | undefined
  readonly effects: readonly ReadEffect[]
  /** Names that are called like functions and are none of the server's own that are known by name, as written but case-folded, schema included. */
  readonly functions: readonly string[]
  /** Tables and views that it names, in the same way: their triggers, defaults, policies and queries may call functions. */
  readonly relations: readonly string[]
  /** Whether functions, or what calls them, may be other than before: `CREATE FUNCTION`, `DROP EXTENSION`, `CREATE TRIGGER`, a default. */
  readonly changesFunctions: boolean
  /**
   * Whether the server runs it inside a transaction block: not `VACUUM`, `CREATE DATABASE`, `CREATE INDEX CONCURRENTLY`, …;
   * nor what may end transactions of its own: `CALL`, and a `DO` that commits.
   */
  readonly runsInTransaction: boolean
  /** Reads `currval` or `lastval`. */
  readonly readsSequence: boolean
  /** May draw a value from a sequence: `nextval`, `setval`, `INSERT`, `MERGE`, `COPY … FROM`, a function nobody knows. */
  readonly drawsSequence: boolean
}

/** What a text says to the server, one entry for each statement that the server will answer. */
export interface StatementReading {
  readonly statements: readonly ReadStatement[]
  /**
   * Whether no statement has an effect, a control, or an unknown function, or changes functions: true for nearly all, and
   * then nothing need be booked (but for triggers and views of `relations`, where the database has such that do something).
   */
  readonly isPlain: boolean
}
