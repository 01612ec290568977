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
 * then. An answer that is written piece by piece is decided by its first piece; what comes while that is committed is kept too.
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
      get: () => this.#hasAnswered || Reflect.get(Object.getPrototypeOf(response) as object, 'headersSent', response),
    })
  }

  /**
   * Holds the response, and what a handler passes to `next`.
   *
   * @param handler is given the `next` to call.
   * @param next what is to go on with the request in the end; an error in place of that rejects.
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
        const isError = error !== undefined && error !== null && error !== 'route' && error !== 'router'
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- passed on as it is
        if (isError) reject(error)
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
    for (const { method, values } of held) this.#originals[method](...values)
  }

  /** Leaves the response to error handlers. */
  abandon(): void {
    this.release()
    this.forgetAnswer()
    // A handler that goes on writing behind their answer would end the process.
    this.#response.on('error', () => {})
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
  }

  get #hasAnswered(): boolean {
    return this.#held.length > 0
  }

  #hold(method: Method, values: readonly unknown[]): unknown {
    const result = method === 'write' ? true : this.#response
    if (this.#held.some((call) => call.method === 'end')) return result
    this.#held.push({ method, values })
    if (method === 'writeHead') {
      this.#status = values[0] as number
      return result
    }
    const refuses = refusesRequest(this.#status ?? this.#response.statusCode)
    this.#decide({ refuses, answer: () => this.send() })
    return result
  }
}
