import { isTrue } from './is-true.js'

/** Whether the server takes a bound value for true; what cannot be told is not. */
export function isTrueValue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && isTrue(value))
}
