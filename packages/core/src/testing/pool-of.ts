import { checkOptions } from '../options/check-options.js'
import { objectWith, required } from '../options/option-rules.js'

/**
 * The core pool of what a function for tests was given: itself, or the one below a driver's facade.
 *
 * @param methods what is asked of it.
 * @throws {InvalidOptionsError} for what is neither.
 */
export function poolOf<Asked extends object>(
  of: string,
  source: Asked | { readonly leases: Asked },
  methods: readonly string[],
): Asked {
  // `leases` first: a facade may have the methods of a pool too, and its own meaning of them.
  const isFacade = typeof source === 'object' && source !== null && 'leases' in source
  const pool = isFacade ? source.leases : source
  const expected = 'a pool of Leasehold: what createPool makes, or a facade that has one as `leases`'
  const rule = { ...objectWith('a pool', methods), expected }
  checkOptions(of, { pool }, { pool: required(rule) })
  return pool
}
