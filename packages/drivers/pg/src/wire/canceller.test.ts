import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Canceller } from './canceller.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('cancels go out one at a time, with a pause between them that grows', async () => {
  const done: Array<() => void> = []
  const send = vi.fn<() => Promise<void>>(() => new Promise<void>((resolve) => done.push(resolve)))
  const canceller = new Canceller(send, () => canceller.cancel())
  canceller.cancel()
  canceller.cancel()
  expect(send).toHaveBeenCalledTimes(1)
  for (const [count, pauseMs] of [20, 40, 80].entries()) {
    done[count]?.()
    await vi.advanceTimersByTimeAsync(pauseMs - 1)
    expect(send).toHaveBeenCalledTimes(count + 1)
    await vi.advanceTimersByTimeAsync(1)
    expect(send).toHaveBeenCalledTimes(count + 2)
  }
  canceller.stop()
})

test('stopped, it asks for nothing any more', async () => {
  const lookAgain = vi.fn<(...args: unknown[]) => void>()
  const canceller = new Canceller(() => Promise.resolve(), lookAgain)
  canceller.cancel()
  await canceller.finished
  canceller.stop()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(lookAgain).not.toHaveBeenCalled()
  expect(canceller.hasSent).toBe(true)
})

test('a request that fails is told of', async () => {
  const lookAgain = vi.fn<(...args: unknown[]) => void>()
  const canceller = new Canceller(() => Promise.reject(new Error('no way there')), lookAgain)
  canceller.cancel()
  await canceller.finished
  expect(lookAgain).toHaveBeenCalledOnce()
  expect(() => canceller.throwIfFailed()).toThrow('no way there')
})
