import type { AdapterState } from './adapter-state.js'

/** What makes every promise of Prisma's that is not a transaction's: `request` runs once somebody awaits it. */
type CreatePromise = (this: unknown, request: (...of: unknown[]) => unknown, spec: unknown) => unknown

/**
 * Lets leases be named by the line that made the query. Prisma asks for a connection when somebody awaits the query, and from
 * within its engine; the line is on the stack only when the query is made. So it is captured there, where a site is to be
 * captured, and travels to the pool with the call. A Prisma that makes its promises in another way goes without.
 */
export function nameCallers(client: object, { pool, calls }: AdapterState): void {
  const { _createPrismaPromise: create } = client as { readonly _createPrismaPromise?: CreatePromise }
  if (typeof create !== 'function' || pool.leases.options.captureSites === 'off') return

  const createPromise: CreatePromise = function createPromise(request, spec) {
    // What extensions ask for on the way of a query is asked for by the same line.
    const isOnTheWay = calls.getStore()?.site !== undefined
    const site = isOnTheWay ? undefined : pool.leases.captureSite(createPromise)
    if (site === undefined) return create.call(this, request, spec)
    return create.call(this, (...of) => calls.run({ site }, () => request(...of)), spec)
  }
  Object.defineProperty(client, '_createPrismaPromise', { value: createPromise, writable: true, configurable: true })
}
