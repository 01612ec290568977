import { givenLabel, type LeaseholdRoute } from '@leasehold/core'
import type { RoutePattern } from './route-pattern.js'

/** How a service names its requests: a function that is told of the route, or one text for all. */
export type GivenLabel = string | ((route: LeaseholdRoute) => string) | undefined

/** What a request is called by now: it becomes more exact on the way to its route. Never throws. */
export function labelOfRequest(method: string, pattern: RoutePattern, given: GivenLabel): string {
  if (typeof given === 'string') return given
  const { url, base } = pattern
  const label = given && givenLabel(given, { method, url })
  if (label !== undefined) return label
  // Never the url of the request itself: it is full of values, and there is no end of them.
  return `${method} ${url ?? `${base}${base === '' ? '' : ' '}(no route)`}`
}
