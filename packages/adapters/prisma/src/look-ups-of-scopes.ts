import { bindToContext, currentScope, currentTransaction } from '@leasehold/core'
import type { DataLoaderOptions, PrismaRequest } from './prisma-internals.js'

type RunInContext = <R>(work: () => R) => R

const numbers = new WeakMap<object, number>()
let last = 0

/**
 * Keeps the look-ups of different scopes, and of different transactions of the pool, apart. Prisma's data loader merges all `findUnique` calls of one tick in the
 * process into one statement, and runs it in the context of whoever came first: two requests that resume in one tick
 * read through one connection. Look-ups of one scope and transaction are still merged.
 */
export function separateLookUps(loader: DataLoaderOptions): void {
  const { batchBy, singleLoader, batchLoader } = loader
  const contexts = new WeakMap<PrismaRequest, RunInContext>()

  loader.batchBy = (request) => {
    const key = batchBy(request)
    // Without a key it is not put off, and runs where it stands.
    if (!key) return key
    contexts.set(
      request,
      bindToContext(<R>(work: () => R): R => work()),
    )
    // The parts of one `$transaction([…])` have a key of their own already, and must stay together.
    if (request.transaction?.kind === 'batch') return key
    return `${key} of scope ${numberOf(currentScope())}, transaction ${numberOf(currentTransaction())}`
  }
  loader.singleLoader = (request) => inContextOf(request, () => singleLoader(request))
  loader.batchLoader = (requests) => inContextOf(requests[0], () => batchLoader(requests))

  function inContextOf<R>(request: PrismaRequest | undefined, work: () => R): R {
    const run = request === undefined ? undefined : contexts.get(request)
    return run === undefined ? work() : run(work)
  }
}

function numberOf(scope: object | undefined): number {
  if (scope === undefined) return 0
  const known = numbers.get(scope)
  if (known !== undefined) return known
  last += 1
  numbers.set(scope, last)
  return last
}
