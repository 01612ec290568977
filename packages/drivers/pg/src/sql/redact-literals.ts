import { Lexer } from './lexer.js'

const LONGEST = 200

/**
 * A statement as reports may show it: without literals and comments, on one line, cut at about 200 characters. Reads no
 * further than it shows, so that a statement of megabytes costs no more than its first literals do.
 */
export function redactLiterals(statement: string): string {
  const lexer = new Lexer(statement)
  let shown = ''
  let end = 0
  while (lexer.next()) {
    if (lexer.start > end && shown !== '') shown += ' '
    if (shown.length >= LONGEST || lexer.isUnsure) return cut(shown)
    const isHidden = lexer.is === 'literal' || lexer.is === 'number'
    shown += isHidden ? '?' : statement.slice(lexer.start, Math.min(lexer.end, lexer.start + LONGEST))
    end = lexer.end
  }
  return shown.length > LONGEST ? cut(shown) : shown
}

function cut(shown: string): string {
  return `${shown.slice(0, LONGEST)}…`
}
