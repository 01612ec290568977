import type { StatementReading } from '../sql/statement-reading.js'

const COMMANDS: ReadonlySet<string> = new Set('SELECT WITH INSERT UPDATE DELETE MERGE VALUES TABLE'.split(' '))

/**
 * Words that a literal may hold and that mean a moment: the server puts the moment in their place when it reads a text, so
 * that a kept statement would tell the day on which it was first read. What follows any quote is looked at, since a text
 * too many that is sent as it is does no harm.
 */
const MOMENT = /['$][^']*\b(?:now|today|tomorrow|yesterday)\b/i

/**
 * Whether a session may keep the statement of a text without doing anything else than if it were sent each time: one query
 * or change of rows, which leaves nothing on the session.
 */
export function mayBePrepared(text: string, { statements, isPlain }: StatementReading): boolean {
  return isPlain && statements.length === 1 && COMMANDS.has(statements[0]?.command ?? '') && !MOMENT.test(text)
}
