import { clearImmediate, setImmediate } from 'node:timers'
import type { Clock } from '../ports/clock.js'
import { clockOn } from './clock-on.js'

/**
 * The clock of pools that are given none. Its timers are those there were when this was loaded: a test that puts fake ones in
 * their place stops the time of its service, and not that of sockets, whose deadlines would never come; and it does not make
 * a pool wake over and over, when it passes days, for what is not due by the clock. Immediates are Node's own: Jest's jsdom has
 * none.
 */
export const systemClock: Clock = clockOn({ setTimeout, clearTimeout, setImmediate, clearImmediate })
