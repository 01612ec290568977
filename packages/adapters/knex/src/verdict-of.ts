import type { PgClient } from './knex-internals.js'

/** The user's check of a connection that is about to be used, as Knex calls it. */
export type Validate = (connection: PgClient) => boolean | Promise<boolean>

/** Whether a connection may be used: not if the check throws, which is told. Never fails. */
export function verdictOf(
  validate: Validate,
  connection: PgClient,
  warn: (message: string) => void,
): boolean | Promise<boolean> {
  const refuse = (error: unknown): false => {
    warn(`Pool validate threw an error: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
  try {
    const answer: unknown = validate(connection)
    return isThenable(answer) ? Promise.resolve(answer).then(Boolean, refuse) : Boolean(answer)
  } catch (error) {
    return refuse(error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}
