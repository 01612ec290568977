// Imported and not taken from the global, which is a getter that costs more than the reading itself.
import { performance } from 'node:perf_hooks'
import type { Cancel, Clock } from '../ports/clock.js'

/** setTimeout takes no more than a signed 32-bit delay; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The machine's monotonic clock, which does not jump when the wall clock is set, and wakes by these timers. */
export function clockOn({ setTimeout, clearTimeout }: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>): Clock {
  return {
    now(): number {
      return performance.now()
    },

    wake(atMs: number, callback: () => void): Cancel {
      const delay = Math.min(Math.max(Math.ceil(atMs - performance.now()), 0), LONGEST_DELAY_MS)
      const timeout = setTimeout(callback, delay)
      timeout.unref()
      const cancel: Cancel = () => {
        clearTimeout(timeout)
      }
      cancel.keepAlive = (alive) => {
        if (alive) timeout.ref()
        else timeout.unref()
      }
      return cancel
    },
  }
}
