import type { Cancel, Clock } from '../ports/clock.js'

/** setTimeout takes no more than a signed 32-bit delay; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** A wake-up that comes later than this finds a process that was busy with something else, or stood still. */
const LATE_MS = 20

interface Timers extends Pick<typeof globalThis, 'setTimeout' | 'clearTimeout' | 'setImmediate' | 'clearImmediate'> {
  /** Milliseconds of a time that does not jump when the wall clock is set. */
  readonly now: () => number
}

/** A clock that reads this time, and wakes by these timers. */
export function clockOn({ now, setTimeout, clearTimeout, setImmediate, clearImmediate }: Timers): Clock {
  /** How many wake-ups have come late and wait for the sockets. What comes due meanwhile goes behind them. */
  let late = 0
  return {
    now,

    wake(atMs: number, callback: () => void): Cancel {
      const since = now()
      const dueAt = Math.max(atMs, since)
      let immediate: NodeJS.Immediate | undefined
      const ring = (): void => {
        if (late === 0 && now() - dueAt <= LATE_MS) return callback()
        // Node looks at timers before it looks at sockets. The answer that somebody is to be told has not come in time may
        // lie there since long, with a process that stood still: it is read before an immediate runs.
        late += 1
        immediate = setImmediate(() => {
          immediate = undefined
          late -= 1
          callback()
        })
      }
      const timeout = setTimeout(ring, Math.min(Math.ceil(dueAt - since), LONGEST_DELAY_MS))
      timeout.unref()
      const cancel: Cancel = () => {
        clearTimeout(timeout)
        if (immediate === undefined) return
        clearImmediate(immediate)
        immediate = undefined
        late -= 1
      }
      cancel.keepAlive = (alive) => {
        if (alive) timeout.ref()
        else timeout.unref()
      }
      return cancel
    },
  }
}
