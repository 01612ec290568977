import { type Fault, type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { afterEach, beforeEach } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { usePools } from './leased-pool.js'

/** How long a session that is cleaned may take, and one that is closed, in the pools of `useHungServer`. */
export const RESET_MS = 300
export const CLOSE_MS = 100

/** What takes a hung server away from its clients: neither it nor a cancel request is answered. */
export const HANGS: ReadonlyArray<readonly [string, Fault]> = [
  ['hears nothing and says nothing', { is: 'freeze', direction: 'both' }],
  ['hears all and says nothing', { is: 'freeze', direction: 'to-client' }],
]

export interface HungServer {
  /** Stands before the server, anew for each test. */
  readonly proxy: FaultProxy
  /** A pool of one on it, with these options of ours. */
  open(leasehold?: object): LeasedPgPool
}

/** For each test a proxy before the database of the test file, by which its server can be made to hang. */
export function useHungServer(database: { readonly url: string }): HungServer {
  const poolOf = usePools(database)
  let proxy: FaultProxy | undefined
  const current = (): FaultProxy => {
    if (proxy === undefined) throw new Error('the proxy is there only while a test runs')
    return proxy
  }
  beforeEach(async () => {
    const { hostname: host, port } = new URL(database.url)
    proxy = await startFaultProxy({ host, port: Number(port) })
  })
  afterEach(() => proxy?.close())
  return {
    get proxy() {
      return current()
    },
    open: (leasehold = {}) =>
      poolOf({
        connectionString: current().through(database.url),
        max: 1,
        leasehold: { resetTimeoutMs: RESET_MS, closeTimeoutMs: CLOSE_MS, closeGraceMs: 50, ...leasehold },
      }),
  }
}
