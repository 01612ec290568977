import {
  attachLeaseholdError,
  type ConnectFailedError,
  currentScope,
  isLeaseholdError,
  LeaseholdError,
  PoolClosedError,
} from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { acquireTimeout } from './acquire-timeout.js'
import type { AdapterState } from './adapter-state.js'
import { LeaseFailure } from './lease-failure.js'

/** The `pg.Pool` that Prisma's adapter was made for, of whichever copy of pg. */
export type PoolClass = { readonly prototype: object }

const warned = new WeakSet<AdapterState>()

/**
 * The pool as Prisma's adapter sees it. It accepts nothing but instances of the `pg.Pool` that it imports itself, which
 * is another class than ours wherever two copies of pg are installed; and takes everything else for a configuration, to
 * open a pool of its own.
 */
export function poolView(PgPool: PoolClass, state: AdapterState): LeasedPgPool {
  const { pool, calls } = state
  const methods = {
    options: pool.options,
    async query(statement: string): Promise<unknown> {
      try {
        checkUse(state)
        return await pool.leases.calledFrom(calls.getStore()?.site, () => pool.query(statement))
      } catch (error) {
        throw passable(error)
      }
    },
    async connect(): Promise<unknown> {
      try {
        checkUse(state)
        const lease = await pool.leases.acquire({ timeoutMs: acquireTimeout(state), site: calls.getStore()?.site })
        return lease.client
      } catch (error) {
        throw passable(error)
      }
    },
    on: pool.on.bind(pool),
    removeListener: pool.removeListener.bind(pool),
    // Never the shared pool: it is not Prisma's to end.
    end: async () => {},
  }
  return Object.create(PgPool.prototype, Object.getOwnPropertyDescriptors(methods)) as LeasedPgPool
}

/** @throws {LeaseholdError} when the pool is closed, or the client must be a leased one and is not. */
function checkUse(state: AdapterState): void {
  const { pool, isLeased } = state
  const { name, mode, observe } = pool.leases.options
  if (pool.ending) throw new PoolClosedError(name)
  if (isLeased) return
  if (pool.leases.isInTransaction) {
    throw new LeaseholdError({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'transaction',
      what:
        `a transaction on pool "${name}" was asked through a PrismaClient that is not leased, ` +
        'which runs look-ups of others in it, and its own in those of others',
      remedy: 'Use the client that leasePrisma(client, pool) returns',
      pool: name,
    })
  }
  const scope = currentScope()
  if (scope === undefined) return
  if (scope.settings !== undefined) {
    throw new LeaseholdError({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'settings',
      what:
        `${scope.label} declares settings, and asked pool "${name}" through a PrismaClient that is not leased, ` +
        'which runs look-ups of one scope with the settings of another',
      remedy: 'Use the client that leasePrisma(client, pool) returns',
      pool: name,
    })
  }
  // An observing pool refuses nothing.
  if ((scope.mode ?? mode) === 'session' && !observe) {
    throw new LeaseholdError({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'scope',
      what:
        `${scope.label} is in session mode on pool "${name}", and asked it through a PrismaClient that is not leased, ` +
        'which runs look-ups of one scope on the connection of another',
      remedy: 'Use the client that leasePrisma(client, pool) returns',
      pool: name,
    })
  }
  if (warned.has(state)) return
  warned.add(state)
  process.emitWarning(
    `A PrismaClient on pool "${name}" is used in scopes without leasePrisma(client, pool): ` +
      'it runs look-ups of one scope in another',
    { type: 'LeaseholdWarning', code: 'LEASEHOLD_PRISMA_NOT_LEASED' },
  )
}

/** The error that tells most once Prisma has handled it: a failed dial is the driver's own, which Prisma translates. */
function passable(error: unknown): unknown {
  if (!isLeaseholdError(error)) return error
  if (
    error.code === 'LEASEHOLD_CONNECT_FAILED' &&
    !(error as ConnectFailedError).timedOut &&
    error.cause instanceof Error
  ) {
    attachLeaseholdError(error.cause, error)
    return error.cause
  }
  return new LeaseFailure(error)
}
