import type { Driver } from '../ports/driver.js'

const ignore = (): void => {}

/** Whether the socket keeps the process alive. Where a driver fails to say so, all else goes on: nobody waits for it. */
export function holdSocket<Client>(driver: Driver<Client>, client: Client, alive: boolean): void {
  // Without `callSafely` and its functions: each lease comes by here.
  try {
    const held: unknown = driver.hold?.(client, alive)
    if (held instanceof Promise) held.catch(ignore)
  } catch {
    // As above.
  }
}
