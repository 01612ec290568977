import { Client } from 'pg'
import { expect, test } from 'vitest'
import { pgDriver } from './pg-driver.js'
import { LeasedPgPool } from '../facade/leased-pg-pool.js'

/** Of the shape of pg's native client, which needs libpq to be loaded. */
class NativeClient {
  isConnected(): boolean {
    return false
  }
}

test('the native binding is refused, with the reason', () => {
  const refusal = expect.objectContaining({
    code: 'LEASEHOLD_INVALID_OPTIONS',
    message: expect.stringContaining('native') as unknown,
  }) as Error
  expect(() => pgDriver({}, { Client: NativeClient })).toThrow(refusal)
  expect(() => new LeasedPgPool({}, NativeClient)).toThrow(refusal)
  expect(() => new LeasedPgPool({ leasehold: { compat: 'pg-pool' } }, NativeClient)).toThrow(refusal)
})

test('a subclass of pg’s client, and a stand-in for one, are not', () => {
  class Own extends Client {
    isConnected(): boolean {
      return true
    }
  }
  class StandIn {
    on(): void {}
  }
  expect(() => pgDriver({}, { Client: Own })).not.toThrow()
  expect(() => pgDriver({}, { Client: StandIn })).not.toThrow()
})
