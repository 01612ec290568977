import { FakeClock, FakeDriver, watched } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { createPool } from '../surface/create-pool.js'

/** While it is busy, time passes between two looks at it. */
class BusyClock extends FakeClock {
  isBusy = false

  override now(): number {
    if (this.isBusy) this.advance(5)
    return super.now()
  }
}

it('who waits for a connection no longer than that may take to open is told that it did not open, on a busy machine too', async () => {
  const clock = new BusyClock()
  const driver = new FakeDriver()
  driver.script.always('connect', 'never')
  const pool = createPool(driver, { clock, acquireTimeoutMs: 300, connectTimeoutMs: 300, closeTimeoutMs: 100 })

  clock.isBusy = true
  const waiting = watched(pool.acquire())
  clock.isBusy = false
  await clock.advanceAsync(400)

  expect(waiting.outcome).toBe('LEASEHOLD_CONNECT_FAILED')
})
