import { Inject } from '@nestjs/common'
import { getPoolToken } from './get-pool-token.js'

/** Injects a pool as it was given to the module: `constructor(@InjectPool() private readonly pool: LeasedPgPool) {}`. */
export function InjectPool(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getPoolToken(name))
}
