// Not the global one, which is a getter that costs more than the reading itself.
import { performance } from 'node:perf_hooks'
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import type { Clock } from '../ports/clock.js'
import { clockOn } from './clock-on.js'

/**
 * The clock of pools that are given none: the machine's monotonic one. It reads and wakes by what Node had when this was
 * loaded: a test that puts fakes in their place stops the time of its service, and not that of sockets, whose deadlines would
 * never come; and it does not make a pool wake over and over, when it passes days, for what is not due by the clock. The timers
 * are Node's own: those of Jest's jsdom are a browser's.
 */
export const systemClock: Clock = clockOn({
  now: performance.now.bind(performance),
  setTimeout,
  clearTimeout,
  setImmediate,
  clearImmediate,
})
