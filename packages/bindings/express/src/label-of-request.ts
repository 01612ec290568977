import type { LeaseholdRoute } from '@leasehold/core'
import type { RoutePattern } from './route-pattern.js'

/** How a service names its requests: a function that is told of the route, or one text for all. */
export type GivenLabel = string | ((route: LeaseholdRoute) => string) | undefined

/** What a request is called by now: it becomes more exact on the way to its route. Never throws. */
export function labelOfRequest(method: string, pattern: RoutePattern, given: GivenLabel): string {
  if (typeof given === 'string') return given
  const { url, base } = pattern
  if (given !== undefined) {
    // Whoever needs the name is in the middle of something else, which must not fail of it.
    try {
      const text: unknown = given({ method, url })
      if (typeof text === 'string' && text.trim() !== '') return text
      warnOnce('returned no text')
    } catch (error) {
      warnOnce(`threw ${String(error)}`)
    }
  }
  // Never the url of the request itself: it is full of values, and there is no end of them.
  return `${method} ${url ?? `${base}${base === '' ? '' : ' '}(no route)`}`
}

let warned = false

function warnOnce(what: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`The label function of leasehold ${what}: its own names are used instead`, 'LeaseholdWarning')
}
