/**
 * Whether what is made without naming a schema may be temporary with this search path: the schema of temporary objects is
 * in it. Behind `pg_catalog` it is not: that is always there, and nobody makes anything in it. Behind any other schema it
 * may be, as that need not exist.
 *
 * @param path the names of its schemas, or the whole as the setting has it.
 */
export function mayMakeTemporary(path: string | readonly string[]): boolean {
  const names = typeof path === 'string' ? path.split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1')) : path
  const first = names.find((name) => name === 'pg_catalog' || /^pg_temp(?:_\d+)?$/.test(name))
  return first !== undefined && first !== 'pg_catalog'
}
