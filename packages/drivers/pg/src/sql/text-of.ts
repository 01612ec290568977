/** The SQL text of whatever `client.query` takes: a text, a config, a cursor, a stream around a cursor, a COPY. */
export function textOf(statement: unknown): string | undefined {
  if (typeof statement === 'string') return statement
  if (typeof statement !== 'object' || statement === null) return undefined
  const { text, cursor } = statement as { text?: unknown; cursor?: unknown }
  return typeof text === 'string' ? text : cursor === undefined ? undefined : textOf(cursor)
}
