import { describe, expect, it } from 'vitest'
import { describeClockContract } from './contracts/index.js'
import { FakeClock } from './fake-clock.js'

describeClockContract('the fake clock', () => {
  const clock = new FakeClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})

describeClockContract('the fake clock, moved asynchronously', () => {
  const clock = new FakeClock()
  return { clock, pass: (ms) => clock.advanceAsync(ms) }
})

describe('the fake clock', () => {
  it('shows each wake-up the moment for which it was asked', () => {
    const clock = new FakeClock(0)
    const moments: number[] = []
    clock.wake(30, () => moments.push(clock.now()))
    clock.wake(10, () => {
      moments.push(clock.now())
      clock.wake(20, () => moments.push(clock.now()))
    })

    clock.advance(100)

    expect(moments).toEqual([10, 20, 30])
    expect(clock.now()).toBe(100)
  })

  it('counts what is pending and knows whether any of it keeps the process alive', () => {
    const clock = new FakeClock(0)
    const first = clock.wake(10, () => {})
    clock.wake(20, () => {})

    expect([clock.pending, clock.nextAt, clock.keepsAlive]).toEqual([2, 10, false])
    first.keepAlive?.(true)
    expect(clock.keepsAlive).toBe(true)
    first()
    expect([clock.pending, clock.nextAt, clock.keepsAlive]).toEqual([1, 20, false])
    clock.advance(20)
    expect([clock.pending, clock.nextAt, clock.asked]).toEqual([0, Infinity, 2])
  })

  it('lets promises settle between two steps when it is moved asynchronously', async () => {
    const clock = new FakeClock(0)
    const order: string[] = []
    clock.wake(10, () => void Promise.resolve().then(() => order.push('what the first one set off')))
    clock.wake(20, () => order.push('the second one'))

    await clock.advanceAsync(20)

    expect(order).toEqual(['what the first one set off', 'the second one'])
  })
})
