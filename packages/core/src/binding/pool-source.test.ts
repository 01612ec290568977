import { FakeDriver } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { PoolClosedError } from '../errors/pool-closed-error.js'
import { createPool } from '../surface/create-pool.js'
import { boundPoolsOf } from './pool-source.js'

describe('the pools that a binding was given', () => {
  it('are those under the facades, each once', () => {
    const [main, reports] = [createPool(new FakeDriver()), createPool(new FakeDriver())]

    expect(boundPoolsOf([main, { leases: reports }, { leases: main }])).toEqual([main, reports])
  })

  it('are refused when one of them is closed', async () => {
    const closed = createPool(new FakeDriver())
    await closed.close()

    expect(() => boundPoolsOf([closed])).toThrow(PoolClosedError)
  })
})
