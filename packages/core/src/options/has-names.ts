/**
 * Whether options or settings can be looked up in it by their names: not in an array, and not in a Map, a Set or a promise,
 * which would pass for an object in which nothing is said.
 */
export function hasNames(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Map || value instanceof Set || value instanceof Promise)
}
