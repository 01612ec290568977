import type { LeasedPgPool } from '@leasehold/pg'
import type { AsyncLocalStorage } from 'node:async_hooks'
import type { PrismaCall } from './prisma-call.js'

/** What `createPrismaAdapter` and `leasePrisma` have to agree on. */
export interface AdapterState {
  readonly pool: LeasedPgPool
  /** The call that asks for a connection. */
  readonly calls: AsyncLocalStorage<PrismaCall>
  /** Whether `leasePrisma` has been given a client on it. */
  isLeased: boolean
}

/** Registered: the adapter may come from the CommonJS build of this package, and `leasePrisma` from the other. */
const STATE = Symbol.for('@leasehold/prisma/adapter-state/1')

/** Notes the state of an adapter on the adapter itself. */
export const adapterState = {
  set(adapter: object, state: AdapterState): void {
    Object.defineProperty(adapter, STATE, { value: state })
  },

  /** Undefined for an adapter that is none of ours. */
  of(adapter: unknown): AdapterState | undefined {
    if (typeof adapter !== 'object' || adapter === null) return undefined
    return (adapter as { [STATE]?: AdapterState })[STATE]
  },
}
