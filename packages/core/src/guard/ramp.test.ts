import { describe, expect, it } from 'vitest'
import { Ramp } from './ramp.js'

function widths(ramp: Ramp, opened: number): number[] {
  return Array.from({ length: opened }, () => {
    ramp.opened()
    return ramp.width
  })
}

describe('the way to a server that comes back', () => {
  it('is as wide as the pool allows before anything has failed', () => {
    expect(new Ramp(8).width).toBe(8)
    expect(new Ramp(Infinity).width).toBe(Infinity)
  })

  it('is one attempt wide after a failure, and opens 1, 2, 4, … with each connection opened', () => {
    const ramp = new Ramp(8)
    ramp.failed()
    expect(ramp.width).toBe(1)
    expect(widths(ramp, 5)).toEqual([1, 2, 4, 8, 8])
  })

  it('is one attempt wide again as soon as one fails', () => {
    const ramp = new Ramp(8)
    ramp.failed()
    widths(ramp, 3)
    ramp.failed()
    expect(ramp.width).toBe(1)
    expect(widths(ramp, 2)).toEqual([1, 2])
  })

  it('never gets wider than the pool allows, and is without a limit again where the pool has none', () => {
    const narrow = new Ramp(3)
    narrow.failed()
    expect(widths(narrow, 4)).toEqual([1, 2, 3, 3])
    const boundless = new Ramp(Infinity)
    boundless.failed()
    expect(widths(boundless, 12).at(-1)).toBe(Infinity)
  })
})
