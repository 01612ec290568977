import { refuseFaults } from './check-options.js'
import { printReceived } from './print-received.js'

/**
 * Refuses what cannot be called, before anything is borrowed for it or begun.
 *
 * @param of whose argument it is, as its error begins.
 */
export function checkFunction(of: string, argument: string, value: unknown): void {
  if (typeof value === 'function') return
  refuseFaults(of, [{ option: argument, expected: 'a function', received: printReceived(value) }])
}
