import { checkOptions, nonEmptyText } from '@leasehold/core'
import { Inject } from '@nestjs/common'
import { getPoolToken } from './get-pool-token.js'

/**
 * Injects a pool as it was given to the module: `constructor(@InjectPool() private readonly pool: LeasedPgPool) {}`.
 *
 * @param name the pool's name in `pools`; the only pool is called `main`. One that nobody provides is refused by Nest.
 * @throws {InvalidOptionsError} for what is no name.
 */
export function InjectPool(name?: string): PropertyDecorator & ParameterDecorator {
  checkOptions('@InjectPool', { name }, { name: nonEmptyText })
  return Inject(getPoolToken(name))
}
