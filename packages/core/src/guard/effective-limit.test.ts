import { describe, expect, it } from 'vitest'
import { EffectiveLimit } from './effective-limit.js'

describe('the number of connections that a full server leaves to a pool', () => {
  it('is what the pool has, and one at least', () => {
    const limit = new EffectiveLimit(10)
    limit.saturated(4)
    expect(limit.limit).toBe(4)
    limit.saturated(0)
    expect([limit.limit, limit.isShrunken]).toEqual([1, true])
  })

  it('grows by one with each pause, and is whole in the end', () => {
    const limit = new EffectiveLimit(5)
    limit.saturated(2)
    expect([limit.raise(), limit.limit]).toEqual([expect.any(Number), 3])
    expect([limit.raise(), limit.limit]).toEqual([expect.any(Number), 4])
    expect([limit.raise(), limit.limit, limit.isShrunken]).toEqual([undefined, 5, false])
  })

  it('grows by one beyond what is open with each connection opened', () => {
    const limit = new EffectiveLimit(10)
    limit.saturated(3)
    limit.raise()
    limit.opened(4)
    expect(limit.limit).toBe(5)
    limit.opened(5)
    expect(limit.limit).toBe(6)
  })

  it('waits from one second up to half a minute with raising it, the longer the server says so', () => {
    const limit = new EffectiveLimit(10, () => 0.999)
    const pauses = Array.from({ length: 5 }, () => Math.round(limit.saturated(3) / 1_000))
    expect(pauses).toEqual([3, 9, 27, 30, 30])
    limit.opened(4)
    expect(Math.round(limit.saturated(4) / 1_000)).toBe(3)
  })

  it('follows the pool’s own limit', () => {
    const limit = new EffectiveLimit(10)
    limit.resize(20)
    expect(limit.limit).toBe(20)
    limit.saturated(7)
    limit.resize(15)
    expect(limit.limit).toBe(7)
    limit.resize(5)
    expect([limit.limit, limit.isShrunken]).toEqual([5, false])
  })
})
