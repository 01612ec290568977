import { Refusal } from './refusal.js'

/** The refusal of what asks for something that does not exist. */
export function noSuch(what: 'account' | 'order', id: number): Refusal {
  return new Refusal(404, `NO_SUCH_${what.toUpperCase()}`, `there is no ${what} ${id}`)
}
