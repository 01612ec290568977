import type { ReadStatement } from '../sql/statement-reading.js'

/** A statement of which something must be booked, and its place among those of its group. */
export interface NotedStatement {
  /** How many statements of the group come before it. */
  readonly position: number
  readonly statement: ReadStatement
  readonly text: string
  readonly values: readonly unknown[] | undefined
  /** How many Binds of the group come before its own; undefined in a simple Query, which has none. */
  readonly bindsBefore: number | undefined
}

/**
 * What was sent up to one ReadyForQuery: a simple Query, or messages up to a Sync. The server undoes it whole or keeps it
 * whole, unless a transaction is open.
 */
export class SyncGroup {
  isExtended = false
  /** Statements sent; in a simple Query with nothing to note they are not counted. */
  sent = 0
  bindsSent = 0
  /** Statements that the server has said to be complete. */
  completed = 0
  bound = 0
  failure: { readonly code?: string; readonly position?: string; readonly where?: string } | undefined
  noted: NotedStatement[] | undefined
  /** The command tags of noted statements, by position. */
  tags: Map<number, string> | undefined

  note(statement: NotedStatement): void {
    ;(this.noted ??= []).push(statement)
  }

  /** The next statement is complete. */
  complete(tag: string | undefined): void {
    if (this.noted !== undefined && tag !== undefined) (this.tags ??= new Map()).set(this.completed, tag)
    this.completed += 1
  }

  /** Whether the statement that failed had begun to run, so that it may have done what no rollback undoes. */
  hasRun({ bindsBefore }: NotedStatement): boolean {
    const { failure } = this
    if (failure === undefined) return true
    if (bindsBefore !== undefined) return this.bound > bindsBefore
    // Errors of parsing and analysis point into the text and come from no function; nothing has run by then.
    return !(failure.code?.startsWith('42') === true && failure.position !== undefined && failure.where === undefined)
  }
}
