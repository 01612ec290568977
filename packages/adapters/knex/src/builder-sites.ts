import type { Site } from '@leasehold/core'

const sites = new WeakMap<object, Site>()

/**
 * Where builders were made. Knex sends a builder when somebody awaits it, from a microtask, and by then no line of the
 * caller's own code is left on the stack.
 */
export const builderSites = {
  /** Notes the site of a builder, where one was captured, and returns the builder. */
  note<B extends object>(builder: B, site: Site | undefined): B {
    if (site !== undefined) sites.set(builder, site)
    return builder
  },

  of(builder: object): Site | undefined {
    return sites.get(builder)
  },
}
