import { unescapeUnicode } from './unescape-unicode.js'

/** The server cuts names to this many bytes. */
const LONGEST_NAME = 63

/** The name that an identifier stands for: folded to lower case unless quoted. `escape` is what `UESCAPE` names. */
export function identifierName(identifier: string, escape = '\\'): string {
  const quote = identifier.indexOf('"')
  if (quote === -1) return cut(foldName(identifier))
  const end = identifier.length > quote + 1 && identifier.endsWith('"') ? -1 : undefined
  const inside = identifier.slice(quote + 1, end).replaceAll('""', '"')
  return cut(quote === 0 ? inside : unescapeUnicode(inside, escape))
}

/** Folds as the server does: letters beyond ASCII stay as they are. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function cut(name: string): string {
  // A character takes three bytes at most for each of its places in a JavaScript string.
  if (name.length * 3 <= LONGEST_NAME) return name
  const bytes = Buffer.from(name)
  if (bytes.length <= LONGEST_NAME) return name
  let end = LONGEST_NAME
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
