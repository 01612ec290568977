/** pg copies a config when it is given one, so that the caller may change it for the next statement. */
export function copyOf(statement: unknown): unknown {
  if (typeof statement !== 'object' || statement === null) return statement
  return Object.create(Object.getPrototypeOf(statement) as object, Object.getOwnPropertyDescriptors(statement))
}
