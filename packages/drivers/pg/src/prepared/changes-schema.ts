import type { ReadStatement, StatementReading } from '../sql/statement-reading.js'

const MAKES = /^(?:CREATE|ALTER|IMPORT)\b/
const DROPS = /^DROP\b/

/**
 * Whether a text makes, changes or drops what others use too. The server plans its kept statements anew then, but goes by
 * the types of parameters that it saw at first.
 *
 * @param dropsItsOwn whether what it drops is its session's own, most likely: there are temporary tables.
 */
export function changesSchema({ statements }: StatementReading, dropsItsOwn: boolean): boolean {
  return statements.some((statement) => {
    const { command } = statement
    return (MAKES.test(command) && !isTemporary(statement)) || (!dropsItsOwn && DROPS.test(command))
  })
}

function isTemporary({ effects }: ReadStatement): boolean {
  return effects.some(({ kind, does }) => kind === 'temp' && does === 'set')
}
