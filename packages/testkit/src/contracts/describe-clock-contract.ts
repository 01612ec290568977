import type { Clock } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

export interface ClockContractHarness {
  readonly clock: Clock
  /** Lets this much of the clock's time pass, and what is due in it happen. */
  readonly pass: (ms: number) => Promise<void> | void
  /** Puts things back as they were. */
  readonly stop?: () => void
}

/** What every clock must do for a pool to keep its hours by it. */
export function describeClockContract(name: string, make: () => ClockContractHarness): void {
  describe(`${name}, as a clock`, () => {
    async function withClock(work: (harness: ClockContractHarness) => Promise<void> | void): Promise<void> {
      const harness = make()
      try {
        await work(harness)
      } finally {
        harness.stop?.()
      }
    }

    it('never runs backwards, and passes', () =>
      withClock(async ({ clock, pass }) => {
        const before = clock.now()
        await pass(20)
        expect(clock.now()).toBeGreaterThanOrEqual(before + 19)
      }))

    it('wakes once, not before its time and not within the call', () =>
      withClock(async ({ clock, pass }) => {
        let calls = 0
        clock.wake(clock.now() + 20, () => (calls += 1))
        expect(calls).toBe(0)
        await pass(10)
        expect(calls).toBe(0)
        await pass(15)
        expect(calls).toBe(1)
        await pass(50)
        expect(calls).toBe(1)
      }))

    it('wakes for a moment that is over already, but not within the call', () =>
      withClock(async ({ clock, pass }) => {
        let calls = 0
        clock.wake(clock.now() - 1_000, () => (calls += 1))
        expect(calls).toBe(0)
        await pass(5)
        expect(calls).toBe(1)
      }))

    it('wakes in the order of the moments, and of asking where they are the same', () =>
      withClock(async ({ clock, pass }) => {
        const order: string[] = []
        const now = clock.now()
        clock.wake(now + 30, () => order.push('third'))
        clock.wake(now + 10, () => order.push('first'))
        clock.wake(now + 10, () => order.push('second'))
        await pass(40)
        expect(order).toEqual(['first', 'second', 'third'])
      }))

    it('can be asked again from within a wake-up', () =>
      withClock(async ({ clock, pass }) => {
        let calls = 0
        const again = (): void => {
          calls += 1
          if (calls < 3) clock.wake(clock.now() + 10, again)
        }
        clock.wake(clock.now() + 10, again)
        await pass(60)
        expect(calls).toBe(3)
      }))

    it('takes a wake-up back, also late and twice', () =>
      withClock(async ({ clock, pass }) => {
        let calls = 0
        const cancel = clock.wake(clock.now() + 10, () => (calls += 1))
        cancel()
        cancel()
        await pass(20)
        expect(calls).toBe(0)

        const late = clock.wake(clock.now() + 5, () => (calls += 1))
        await pass(10)
        late()
        expect(calls).toBe(1)
      }))

    it('bears to be told whether a wake-up keeps the process alive, before and after it came', () =>
      withClock(async ({ clock, pass }) => {
        const cancel = clock.wake(clock.now() + 5, () => {})
        cancel.keepAlive?.(true)
        cancel.keepAlive?.(false)
        await pass(10)
        cancel.keepAlive?.(true)
        cancel()
        expect(clock.now()).toBeGreaterThan(0)
      }))

    it('does not wake at once for a moment that is longer away than a timer can be set', () =>
      withClock(async ({ clock, pass }) => {
        let calls = 0
        const cancel = clock.wake(clock.now() + 2 ** 33, () => (calls += 1))
        await pass(50)
        cancel()
        expect(calls).toBe(0)
      }))
  })
}
