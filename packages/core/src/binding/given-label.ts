import { wordsOf } from '../errors/words-of.js'
import type { LeaseholdRoute } from './binding-options.js'

let hasWarned = false

/**
 * What a service's `label` function calls a route; undefined where it throws or says nothing, and the binding's own name
 * is to stand. Whoever needs the name is in the middle of something else, which must not fail of it.
 */
export function givenLabel(label: (route: LeaseholdRoute) => unknown, route: LeaseholdRoute): string | undefined {
  try {
    const text = label(route)
    if (typeof text === 'string' && text.trim() !== '') return text
    warnOnce('returned no text', route)
  } catch (error) {
    warnOnce(`threw ${wordsOf(error)}`, route)
  }
  return undefined
}

function warnOnce(what: string, { method, url = '(no route)' }: LeaseholdRoute): void {
  if (hasWarned) return
  hasWarned = true
  const warning = `The label function of leasehold ${what}, for ${method} ${url}: its own names are used instead`
  process.emitWarning(warning, 'LeaseholdWarning')
}
