import { attachLeaseholdError, InvalidOptionsError, type OptionFault, PoolClosedError } from '@leasehold/core'
import { checkFacade, type LeasedPgPool } from '@leasehold/pg'
import { type AdapterState, adapterState } from './adapter-state.js'
import { joinTransactions } from './join-transactions.js'
import { leaseholdErrorBehind } from './lease-failure.js'
import { separateLookUps } from './look-ups-of-scopes.js'
import { nameCallers } from './name-callers.js'
import { type Engine, internalsOf, type PrismaInternals, type RequestHandler } from './prisma-internals.js'

/** What every generated PrismaClient has, and what `$extends` makes of one. */
export interface AnyPrismaClient {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
}

/** The clients that are leased already. All that `$extends` makes of one client share its request handler. */
const leased = new WeakSet<RequestHandler>()

/**
 * The client that belongs to requests: no look-up of one scope runs in another's, a transaction waits no longer for its
 * connection than Prisma does for the transaction, and our errors reach the caller as they are.
 *
 * @param client made with `createPrismaAdapter(pool)`; before or after `$extends`.
 * @returns the same client: the very object, with the very type.
 * @throws {InvalidOptionsError} when it is no PrismaClient of a version that is known, or does not stand on `pool`.
 * @throws {PoolClosedError} when the pool is closed.
 */
export function leasePrisma<Client extends AnyPrismaClient>(client: Client, pool: LeasedPgPool): Client {
  const internals = internalsOf(client)
  const poolFaults = checkFacade(pool)
  if ('option' in internals) return refuse([...poolFaults, internals])
  const state = adapterState.of(internals.adapter)
  if (state === undefined || poolFaults.length > 0) {
    return refuse([...poolFaults, ...(state === undefined ? [adapterFault(internals)] : [])])
  }
  if (state.pool !== pool) return refuse([poolFault(state, pool)])
  if (pool.ending) throw new PoolClosedError(pool.leases.options.name)

  const { handler, engine } = internals
  if (leased.has(handler)) return client
  leased.add(handler)
  separateLookUps(handler.dataloader.options)
  tellMaxWait(engine, state)
  revealErrors(handler, engine)
  joinTransactions(client, state)
  nameCallers(client, state)
  state.isLeased = true
  return client
}

function tellMaxWait(engine: Engine, { calls }: AdapterState): void {
  const { transaction } = engine
  engine.transaction = function openOrEnd(action, headers, facts) {
    const run = (): Promise<unknown> => transaction.call(this, action, headers, facts)
    const { maxWait = Number.POSITIVE_INFINITY } = facts
    return action === 'start' ? calls.run({ ...calls.getStore(), maxWait }, run) : run()
  }
}

function revealErrors(handler: RequestHandler, engine: Engine): void {
  const { handleAndLogRequestError } = handler
  handler.handleAndLogRequestError = function handle(facts) {
    try {
      return handleAndLogRequestError.call(this, facts)
    } catch (shown) {
      throw revealed(shown, facts.error)
    }
  }
  const { transaction } = engine
  engine.transaction = async function openOrEnd(...args) {
    try {
      return await transaction.apply(this, args)
    } catch (error) {
      throw revealed(error, error)
    }
  }
}

/** Our own error, if that is all it was; else Prisma's, in which `findLeaseholdError` finds ours. */
function revealed(shown: unknown, error: unknown): unknown {
  const ours = leaseholdErrorBehind(error)
  if (ours === undefined) return shown
  if (error === ours || (error as { cause?: unknown }).cause === ours) return ours
  attachLeaseholdError(shown as object, ours)
  return shown
}

function refuse(faults: readonly OptionFault[]): never {
  throw new InvalidOptionsError('leasePrisma', faults)
}

function adapterFault({ adapter }: PrismaInternals): OptionFault {
  const { adapterName } = (adapter ?? {}) as { adapterName?: string }
  return {
    option: 'client',
    expected: 'a PrismaClient made with { adapter: createPrismaAdapter(pool) }',
    received:
      adapterName === undefined
        ? 'one without an adapter'
        : `one with an adapter of ${adapterName} that is none of ours`,
  }
}

function poolFault(state: AdapterState, pool: LeasedPgPool): OptionFault {
  return {
    option: 'pool',
    expected: `the pool that the client stands on, "${state.pool.leases.options.name}"`,
    received: `pool "${pool.leases.options.name}"`,
  }
}
