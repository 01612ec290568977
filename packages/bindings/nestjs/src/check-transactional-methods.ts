import { InvalidOptionsError, type OptionFault, poolForTransactions, refuseFaults } from '@leasehold/core'
import type { ModulesContainer } from '@nestjs/core'
import { givePools, poolsOf, transactionalMethodsOf, type TransactionPools } from './transactional-methods.js'

/**
 * Looks through all that a service is made of when it starts, so that a transaction on a pool that there is not is refused
 * then, and not by its first call. What Nest was given ready-made, by factories and as values, gets its pools here.
 *
 * @returns those that got them, to be forgotten when the service ends.
 * @throws {InvalidOptionsError} naming all that is wrong.
 */
export function checkTransactionalMethods(modules: ModulesContainer, pools: TransactionPools): readonly object[] {
  const faults: OptionFault[] = []
  const given: object[] = []
  const looked = new Set<object>()
  for (const { providers, controllers, injectables } of modules.values()) {
    for (const { metatype, inject, instance } of [
      ...providers.values(),
      ...controllers.values(),
      ...injectables.values(),
    ]) {
      const isMade = inject !== null && inject !== undefined
      const readyMade = isMade || metatype === null || metatype === undefined
      const prototype = readyMade ? prototypeOf(instance) : (metatype.prototype as object | undefined)
      if (prototype === undefined) continue
      const methods = transactionalMethodsOf(prototype)
      if (methods.length === 0) continue
      if (!looked.has(prototype)) {
        for (const { of, declared } of methods) faults.push(...faultsOf(of, pools, declared.pool))
      }
      looked.add(prototype)
      if (!readyMade || poolsOf(instance as object) === pools) continue
      if (poolsOf(instance as object) === undefined) {
        givePools(instance as object, pools)
        given.push(instance as object)
        continue
      }
      const received = `one ${prototype.constructor.name} in two services that run at once`
      faults.push({ option: 'provider', received, expected: 'one for each, whose transactions are on its own pools' })
    }
  }
  refuseFaults('@Transactional', faults)
  return given
}

function prototypeOf(instance: unknown): object | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined
  return (Object.getPrototypeOf(instance) as object | null) ?? undefined
}

function faultsOf(of: string, pools: TransactionPools, name: string | undefined): readonly OptionFault[] {
  try {
    poolForTransactions(of, pools, name)
    return []
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error
    return error.faults.map((fault) => ({ ...fault, option: `${fault.option} ${of.replace('@Transactional ', '')}` }))
  }
}
