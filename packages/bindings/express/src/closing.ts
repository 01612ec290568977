import type { ServerResponse } from 'node:http'
import { type BoundPool, checkOptions, objectWith, systemClock } from '@leasehold/core'

/** What `close` asks of a server of `node:http` or `node:https`. */
export interface ClosableServer {
  close(): unknown
  closeIdleConnections(): void
  closeAllConnections(): void
}

interface ClosingOptions {
  readonly closePool?: boolean | undefined
  readonly closeDeadlineMs?: number | undefined
}

const closable = objectWith('a server of node:http', ['close', 'closeIdleConnections', 'closeAllConnections'])

const DEFAULT_DEADLINE_MS = 10_000

/** The end of a service: its requests are answered first, and only then its pools are closed. */
export class Closing {
  readonly #pools: readonly BoundPool[]
  readonly #options: ClosingOptions
  #underWay = 0
  #drained: (() => void) | undefined
  #done: Promise<void> | undefined

  constructor(pools: readonly BoundPool[], options: ClosingOptions) {
    this.#pools = pools
    this.#options = options
  }

  /** A request has come. */
  begun(response: ServerResponse): void {
    this.#underWay += 1
    // Its client keeps the socket for the next request, which would come too late.
    if (this.#done !== undefined && !response.headersSent) response.setHeader('connection', 'close')
  }

  /** The response of a request has closed. */
  ended(): void {
    this.#underWay -= 1
    if (this.#underWay === 0) this.#drained?.()
  }

  /** @throws {InvalidOptionsError} for what is no server. Nothing is closed then. */
  close(server: ClosableServer | undefined): Promise<void> {
    checkOptions('close', { server }, { server: closable })
    return (this.#done ??= this.#close(server))
  }

  async #close(server: ClosableServer | undefined): Promise<void> {
    const deadlineAt = systemClock.now() + (this.#options.closeDeadlineMs ?? DEFAULT_DEADLINE_MS)
    // Without a callback: one that is not listening (any more) is no reason to leave the pools open.
    server?.close()
    await this.#requestsAnswered(deadlineAt)
    if (this.#underWay === 0) server?.closeIdleConnections()
    else server?.closeAllConnections()
    if (this.#options.closePool === false) return
    const deadlineMs = Math.max(0, deadlineAt - systemClock.now())
    await Promise.all(this.#pools.map((pool) => pool.close({ deadlineMs })))
  }

  async #requestsAnswered(deadlineAt: number): Promise<void> {
    if (this.#underWay === 0) return
    const { promise, resolve } = withResolve()
    this.#drained = resolve
    const wait = (): void => {
      if (deadlineAt <= systemClock.now()) resolve()
      else cancel = deadlineAt === Infinity ? undefined : systemClock.wake(deadlineAt, wait)
      // Unlike a pool's own wake-up: the process must live until the pools are closed.
      cancel?.keepAlive?.(true)
    }
    let cancel: ReturnType<typeof systemClock.wake> | undefined
    wait()
    await promise
    cancel?.()
  }
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
