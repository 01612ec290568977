/** pg copies a config when it is given one, so that the caller may change it for the next statement. */
export function copyOf(statement: unknown): unknown {
  if (typeof statement !== 'object' || statement === null) return statement
  const prototype = Object.getPrototypeOf(statement) as object | null
  // A twentieth of what it costs by descriptors, which only a class with getters and the like needs.
  if (prototype === Object.prototype) return { ...statement }
  return Object.create(prototype, Object.getOwnPropertyDescriptors(statement))
}
