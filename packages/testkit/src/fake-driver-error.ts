import type { ErrorKind } from '@leasehold/core'

/** An error of the fake driver, which knows what it means. */
export class FakeDriverError extends Error {
  readonly kind: ErrorKind
  /** Whether it says that the server goes away, for all sessions. */
  isShutdown = false

  constructor(message: string, kind: ErrorKind) {
    super(message)
    this.name = 'FakeDriverError'
    this.kind = kind
  }
}
