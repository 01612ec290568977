import type { Driver } from '@leasehold/core'
import type { FakeClient } from './fake-client.js'
import { FakeDriver } from './fake-driver.js'

/** A driver in six methods and nothing else, which is all that a pool may demand. */
export function minimalDriver(behind: FakeDriver = new FakeDriver()): Driver<FakeClient> {
  return {
    name: 'minimal',
    connect: (signal) => behind.connect(signal),
    check: (client, signal) => behind.check(client, signal),
    watch: (client, observer) => behind.watch(client, observer),
    reset: (client, ledger, signal) => behind.reset(client, ledger, signal),
    close: (client) => behind.close(client),
    classify: (error) => behind.classify(error),
  }
}
