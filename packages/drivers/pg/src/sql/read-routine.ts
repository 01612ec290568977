import { readStatement } from './read-statement.js'
import type { ReadStatement } from './statement-reading.js'

/** Reads the body of a function or procedure in `sql` or `plpgsql`: all that it may do to the session that calls it. */
export function readRoutine(language: 'sql' | 'plpgsql', body: string): ReadStatement {
  const [read] = readStatement(`do language ${language} '${body.replaceAll("'", "''")}'`).statements
  if (read === undefined) throw new Error('a DO is a statement')
  return read
}
