import type * as pg from 'pg'

/** The answer to a statement that was not sent. */
export function resultOf(command: string): pg.QueryResult {
  return { command, rowCount: null, oid: 0, fields: [], rows: [] }
}
