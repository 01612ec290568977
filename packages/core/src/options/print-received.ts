const LONGEST_PRINTED = 32

/**
 * What was received, for an error's text. Numbers and single short words are printed as they are. Anything in which a
 * password could stand (a longer text, a URL, an object) is only named: errors go to logs.
 */
export function printReceived(value: unknown): string {
  if (typeof value === 'string') return isHarmless(value) ? `'${value}'` : printReceivedKind(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) {
    return String(value)
  }
  return printReceivedKind(value)
}

/** The same for the value of an option that nobody knows, which may be a password: only what kind of thing it is. */
export function printReceivedKind(value: unknown): string {
  if (value === null || value === undefined || Number.isNaN(value)) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  if (typeof value === 'object') return printObject(value)
  return `a ${typeof value}`
}

/** The name of a class says more than "an object", and no more than a type does. */
function printObject(value: object): string {
  if (value instanceof Promise) return 'a promise: it has to be awaited'
  const { constructor } = value as { readonly constructor?: unknown }
  const name = typeof constructor === 'function' && constructor !== Object ? constructor.name : ''
  return name === '' ? 'an object' : `an object of class ${name}`
}

function isHarmless(text: string): boolean {
  return text.length <= LONGEST_PRINTED && /^[\w.-]+$/.test(text)
}
