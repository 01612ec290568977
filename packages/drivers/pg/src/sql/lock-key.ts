/** Of any number that a lock can have, in any notation. */
const LONGEST = 70

/** The key of an advisory lock as the server shows it; undefined if it is no whole number. */
export function lockKey(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const text = String(value).trim().replaceAll('_', '')
  if (text.length > LONGEST || !/^[+-]?(?:\d+|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text)) return undefined
  const digits = text.replace(/^[+-]/, '')
  return String(text.startsWith('-') ? -BigInt(digits) : BigInt(digits))
}
