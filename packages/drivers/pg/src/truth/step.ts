/** A statement with bound values: Parse, Bind, Execute and Sync. */
export interface BoundStatement {
  readonly text: string
  readonly values?: readonly unknown[]
  /** Of the protocol's own prepared statement. */
  readonly name?: string
}

/** One thing that a caller sends and awaits. */
export type Step =
  /** One simple Query, of one statement or of several. */
  | string
  | BoundStatement
  /** Several statements under one Sync. */
  | { readonly batch: readonly BoundStatement[] }
  | { readonly copyIn: string; readonly data: string }
  | { readonly copyOut: string }
  /** A portal of the protocol: some rows are read, and then it is closed or left open. */
  | { readonly portal: string; readonly read: number; readonly close: boolean }
