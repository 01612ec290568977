import type { Driver, ErrorKind } from '../ports/driver.js'

const KINDS: Readonly<Record<ErrorKind, true>> = {
  query: true,
  transient: true,
  saturated: true,
  'read-only': true,
  denied: true,
  fatal: true,
}

type Classify = (error: unknown, byDriver: ErrorKind) => ErrorKind | undefined

/** Tells failures apart: as the driver does, unless the user knows better. */
export class ErrorClassifier {
  readonly #driver: Pick<Driver<unknown>, 'classify' | 'isShutdown'>
  readonly #byUser: Classify | undefined

  constructor(driver: Pick<Driver<unknown>, 'classify' | 'isShutdown'>, byUser: Classify | undefined) {
    this.#driver = driver
    this.#byUser = byUser
  }

  kindOf(error: unknown): ErrorKind {
    const byDriver = this.#askDriver(error)
    return this.#askUser(error, byDriver) ?? byDriver
  }

  /** Whether the server said that it goes away. A user who calls the error something else has decided that it does not. */
  isShutdown(error: unknown): boolean {
    if (!this.#askDriverOfShutdown(error)) return false
    const byDriver = this.#askDriver(error)
    return (this.#askUser(error, byDriver) ?? byDriver) === byDriver
  }

  #askDriverOfShutdown(error: unknown): boolean {
    try {
      return this.#driver.isShutdown?.(error) === true
    } catch {
      return false
    }
  }

  /** A driver that cannot tell an error must not cost who waits for the answer, or the process: it is taken for the worst. */
  #askDriver(error: unknown): ErrorKind {
    try {
      const kind = this.#driver.classify(error)
      return Object.hasOwn(KINDS, kind) ? kind : 'fatal'
    } catch {
      return 'fatal'
    }
  }

  /** A function of the user's that throws, or says what nobody understands, has no say: it must not cost a connection. */
  #askUser(error: unknown, byDriver: ErrorKind): ErrorKind | undefined {
    if (this.#byUser === undefined) return undefined
    try {
      const kind = this.#byUser(error, byDriver)
      return kind !== undefined && Object.hasOwn(KINDS, kind) ? kind : undefined
    } catch {
      return undefined
    }
  }
}
