import { checkFunction } from '../options/check-function.js'
import { refuseFaults } from '../options/check-options.js'
import { nearestName } from '../options/nearest-name.js'
import { printReceived } from '../options/print-received.js'
import { channels } from './channels.js'

/** Refuses an event that there is not, which would never come, and a listener that could not be told. */
export function checkEvent(event: unknown, listener: unknown): void {
  const known = Object.keys(channels)
  if (!known.includes(String(event))) {
    const nearest = nearestName(String(event), known)
    const hint = nearest === undefined ? `: ${known.join(', ')}` : ` (did you mean ${nearest}?)`
    refuseFaults('on', [{ option: 'event', expected: `the name of an event${hint}`, received: printReceived(event) }])
  }
  checkFunction('on', 'listener', listener)
}
