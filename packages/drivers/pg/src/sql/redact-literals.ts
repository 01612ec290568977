import { tokenAt } from './token-at.js'

const LONGEST = 200

/**
 * A statement as reports may show it: without literals and comments, on one line, cut at about 200 characters. Reads no
 * further than it shows, so that a statement of megabytes costs no more than its first literals do.
 */
export function redactLiterals(statement: string): string {
  let shown = ''
  let isSpaced = true
  for (let at = 0; at < statement.length;) {
    const { is, end, isUnsure } = tokenAt(statement, at)
    if (shown.length >= LONGEST || isUnsure === true) return cut(shown)
    if (is === 'space' || is === 'comment') {
      if (!isSpaced) shown += ' '
      isSpaced = true
    } else {
      shown += is === 'literal' || is === 'number' ? '?' : statement.slice(at, Math.min(end, at + LONGEST))
      isSpaced = false
    }
    at = end
  }
  return shown.length > LONGEST ? cut(shown) : shown.trimEnd()
}

function cut(shown: string): string {
  return `${shown.slice(0, LONGEST)}…`
}
