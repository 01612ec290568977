import type { Driver } from '../ports/driver.js'
import { callSafely } from './call-safely.js'

/** Whether the socket keeps the process alive. Where a driver fails to say so, all else goes on: nobody waits for it. */
export function holdSocket<Client>(driver: Driver<Client>, client: Client, alive: boolean): void {
  callSafely(
    () => driver.hold?.(client, alive),
    () => {},
  )
}
