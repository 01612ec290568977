import { describeClockContract } from '@leasehold/testkit/contracts'
import { describe, expect, it, vi } from 'vitest'
import { clockOn } from './clock-on.js'

describeClockContract('the machine’s clock on timers', () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  return {
    clock: clockOn({ setTimeout, clearTimeout, setImmediate, clearImmediate, now: () => Date.now() }),
    pass: (ms) => {
      vi.advanceTimersByTime(ms)
    },
    stop: () => {
      vi.useRealTimers()
    },
  }
})

describe('after the process stood still', () => {
  /** A clock whose process does what the test says: its timers, then its sockets, then its immediates. */
  function openClock() {
    let now = 1_000
    const timers: Array<() => void> = []
    const immediates = new Set<() => void>()
    const clock = clockOn({
      now: () => now,
      setTimeout: (callback: () => void) => {
        timers.push(callback)
        return { ref() {}, unref() {} }
      },
      clearTimeout: () => {},
      setImmediate: (callback: () => void) => {
        immediates.add(callback)
        return callback
      },
      clearImmediate: (callback: () => void) => immediates.delete(callback),
    } as unknown as Parameters<typeof clockOn>[0])
    return {
      clock,
      standStillUntil: (ms: number) => {
        now = ms
      },
      runTimers: () => {
        for (const callback of timers.splice(0)) callback()
      },
      runImmediates: () => {
        for (const callback of immediates) if (immediates.delete(callback)) callback()
      },
    }
  }

  it('what is overdue comes when the sockets have been read, in the order in which it was due', () => {
    const { clock, standStillUntil, runTimers, runImmediates } = openClock()
    const order: string[] = []
    clock.wake(1_010, () => order.push('long overdue'))
    clock.wake(1_095, () => order.push('only just due'))
    standStillUntil(1_100)
    runTimers()
    order.push('sockets')
    runImmediates()
    expect(order).toEqual(['sockets', 'long overdue', 'only just due'])
    clock.wake(1_100, () => order.push('in time'))
    runTimers()
    expect(order.at(-1)).toBe('in time')
  })

  it('what the sockets had may take an overdue wake-up back', () => {
    const { clock, standStillUntil, runTimers, runImmediates } = openClock()
    const order: string[] = []
    const cancel = clock.wake(1_010, () => order.push('given up'))
    standStillUntil(1_100)
    runTimers()
    cancel()
    cancel()
    runImmediates()
    clock.wake(1_100, () => order.push('in time'))
    runTimers()
    expect(order).toEqual(['in time'])
  })
})
