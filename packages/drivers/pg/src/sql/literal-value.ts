import type { StringSyntax } from './lexer.js'
import { unescapeUnicode } from './unescape-unicode.js'

const BLANKS_AND_COMMENTS = /(?:[ \t\n\r\f\v]|--[^\n\r]*)*/y
const QUOTE = /'/g
const QUOTE_OR_BACKSLASH = /['\\]/g
const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const ESCAPE = /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|x([\da-fA-F]{1,2})|([0-7]{1,3})|([^]))/g

/** The text that a string literal of any kind stands for. */
export function literalValue(literal: string, strings: StringSyntax = 'standard'): string {
  const prefix = literal[0]?.toLowerCase()
  if (prefix === '$') {
    const inside = literal.indexOf('$', 1) + 1
    const closing = literal.slice(0, inside)
    return literal.slice(inside, literal.endsWith(closing) && literal.length >= 2 * inside ? -inside : undefined)
  }
  const isEscaped = prefix === 'e' || (strings === 'escaped' && (prefix === "'" || prefix === 'n'))
  const text = joined(literal, isEscaped)
  if (isEscaped) return text.replace(ESCAPE, unescape)
  return prefix === 'u' ? unescapeUnicode(text, '\\') : text
}

/** The insides of a string and of those that continue it, with single quotes and, if there are any, its backslashes. */
function joined(literal: string, isEscaped: boolean): string {
  let text = ''
  let at = literal.indexOf("'") + 1
  while (at < literal.length) {
    const end = nextOf(literal, at, isEscaped)
    text += literal.slice(at, end)
    // Nobody closed it.
    if (end >= literal.length) return text
    if (literal[end] === '\\') {
      text += literal.slice(end, end + 2)
      at = end + 2
    } else if (literal[end + 1] === "'") {
      text += "'"
      at = end + 2
    } else {
      BLANKS_AND_COMMENTS.lastIndex = end + 1
      BLANKS_AND_COMMENTS.test(literal)
      at = BLANKS_AND_COMMENTS.lastIndex + 1
    }
  }
  return text
}

/** The next place of a quote, or of a backslash where that means something. */
function nextOf(literal: string, from: number, isEscaped: boolean): number {
  const next = isEscaped ? QUOTE_OR_BACKSLASH : QUOTE
  next.lastIndex = from
  return next.exec(literal)?.index ?? literal.length
}

function unescape(
  _escape: string,
  short?: string,
  long?: string,
  hexadecimal?: string,
  octal?: string,
  letter = '',
): string {
  const code = short ?? long ?? hexadecimal
  if (code !== undefined) return characterOf(Number.parseInt(code, 16))
  return octal === undefined ? (LETTERS[letter] ?? letter) : characterOf(Number.parseInt(octal, 8))
}

function characterOf(code: number): string {
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : ''
}
