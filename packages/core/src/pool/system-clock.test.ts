import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from './system-clock.js'

afterEach(() => {
  vi.useRealTimers()
})

it('goes on while a test fakes the timers of its service, and cannot be advanced by it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let early = false
  const woken = new Promise<void>((resolve) => {
    systemClock.wake(systemClock.now() + 1_000_000, () => (early = true))
    systemClock.wake(systemClock.now(), resolve).keepAlive?.(true)
  })
  vi.advanceTimersByTime(2_000_000)
  await woken
  expect(early).toBe(false)
})
