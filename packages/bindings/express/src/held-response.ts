import type { ServerResponse } from 'node:http'
import { type HeldAnswer, refusesRequest } from '@leasehold/core'

/** Does what was held: sends the answer, or calls `next`. */
export type Send = () => void

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders'

interface HeldCall {
  readonly method: Method
  readonly values: readonly unknown[]
}

const METHODS: readonly Method[] = ['writeHead', 'write', 'end', 'flushHeaders']

type Callable = (...values: unknown[]) => unknown

/**
 * A response that sends nothing until the transaction of its request has ended: what it is told to send is kept, and sent
 * then. An answer that is written piece by piece is decided by its first piece; more than what its source sends before it
 * looks whether there is room is not kept.
 */
export class HeldResponse {
  readonly #response: ServerResponse
  readonly #originals: Record<Method, Callable>
  readonly #before: { readonly status: number; readonly headers: ReturnType<ServerResponse['getHeaders']> }
  #held: HeldCall[] = []
  #status: number | undefined
  #isHolding = false
  #decide: (held: HeldAnswer<Send>) => void = () => {}

  constructor(response: ServerResponse) {
    this.#response = response
    this.#before = { status: response.statusCode, headers: { ...response.getHeaders() } }
    const originals = {} as Record<Method, Callable>
    for (const method of METHODS) {
      // Bound late: what others put on the response before us is called, and what they put there later calls us.
      originals[method] = (response[method] as Callable).bind(response)
      // Never taken off again, since others may have kept it: it only stops holding.
      Object.defineProperty(response, method, {
        configurable: true,
        writable: true,
        value: (...values: unknown[]) => (this.#isHolding ? this.#hold(method, values) : originals[method](...values)),
      })
    }
    this.#originals = originals
    // Whoever asks before answering must see that there is an answer.
    Object.defineProperty(response, 'headersSent', {
      configurable: true,
      get: () => this.#hasAnswered || (response as unknown as { _header: unknown })._header !== null,
    })
  }

  /**
   * Holds the response, and what a handler passes to `next`.
   *
   * @param handler is given the `next` to call.
   * @param next what is to go on with the request in the end. @param fail the same with an error, which rejects.
   */
  answerOf(handler: (next: Callable) => unknown, next: Callable): Promise<HeldAnswer<Send>> {
    this.forgetAnswer()
    this.#isHolding = true
    return new Promise((resolve, reject) => {
      this.#decide = (held) => {
        this.#decide = () => {}
        resolve(held)
      }
      const goOn: Callable = (error?: unknown) => {
        // `next('route')` and `next('router')` are no errors.
        if (error !== undefined && error !== null && error !== 'route' && error !== 'router') reject(error as Error)
        else this.#decide({ refuses: false, answer: () => next(error) })
      }
      Promise.resolve()
        .then(() => handler(goOn))
        .then(undefined, reject)
    })
  }

  /** From now on the response sends what it is told to send. */
  release(): void {
    this.#isHolding = false
    this.#decide = () => {}
  }

  /** Sends what was held. */
  send(): void {
    this.release()
    const held = this.#held
    this.#held = []
    let isFull = false
    let mayGoOn = false
    for (const { method, values } of held) {
      const room = this.#originals[method](...values)
      if (method !== 'write') continue
      mayGoOn = true
      isFull = room === false
    }
    // Its source was told that there was no room. If there is none now either, Node says when there is.
    if (mayGoOn && !isFull && !this.#response.writableEnded) this.#response.emit('drain')
  }

  /** Has the response as it was before a handler answered in vain: what that said of its answer is not true of another. */
  forgetAnswer(): void {
    if (!this.#hasAnswered) return
    this.#held = []
    this.#status = undefined
    for (const name of this.#response.getHeaderNames()) this.#response.removeHeader(name)
    for (const [name, value] of Object.entries(this.#before.headers)) {
      if (value !== undefined) this.#response.setHeader(name, value)
    }
    this.#response.statusCode = this.#before.status
    // A handler that writes on behind the answer of an error handler would end the process.
    this.#response.on('error', () => {})
  }

  get #hasAnswered(): boolean {
    return this.#held.length > 0
  }

  #hold(method: Method, values: readonly unknown[]): unknown {
    if (this.#held.some((call) => call.method === 'end')) return method === 'write' ? false : this.#response
    this.#held.push({ method, values })
    if (method === 'writeHead') {
      this.#status = values[0] as number
      return this.#response
    }
    const refuses = refusesRequest(this.#status ?? this.#response.statusCode)
    this.#decide({ refuses, answer: () => this.send() })
    return method === 'write' ? false : this.#response
  }
}
