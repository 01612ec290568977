import { checkFunction } from '../options/check-function.js'
import { checkOptions } from '../options/check-options.js'
import { flag } from '../options/option-rules.js'
import { channels } from './channels.js'

const KNOWN = Object.fromEntries(Object.keys(channels).map((event) => [event, flag]))

/** Refuses an event that there is not, which would never come, and a listener that could not be told. */
export function checkEvent(event: unknown, listener: unknown): void {
  checkOptions('The event of on', { [String(event)]: true }, KNOWN)
  checkFunction('on', 'listener', listener)
}
