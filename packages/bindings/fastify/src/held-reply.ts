import { type HeldAnswer, refusesRequest, TransactionConflictError } from '@leasehold/core'
import type { FastifyReply } from 'fastify'

/** Sends what was held, and is what the handler is to return. */
type Send = () => unknown

const TIMED_OUT = 'FST_ERR_HANDLER_TIMEOUT'

/** A reply that sends nothing until the transaction of its request has ended: what it is told to send is kept. */
export class HeldReply {
  readonly #reply: FastifyReply
  readonly #pool: string
  readonly #send: FastifyReply['send']
  readonly #hijack: FastifyReply['hijack']
  readonly #before: { readonly status: number; readonly headers: ReturnType<FastifyReply['getHeaders']> }
  /** Told of what is sent. Undefined while nothing is held. */
  #decide: ((payload: unknown) => void) | undefined
  #hasDecided = false
  #isTimedOut = false
  #isReleased = false

  constructor(reply: FastifyReply, pool: string) {
    this.#reply = reply
    this.#pool = pool
    this.#send = reply.send.bind(reply)
    this.#hijack = reply.hijack.bind(reply)
    this.#before = { status: reply.statusCode, headers: reply.getHeaders() }
    reply.send = (payload?: unknown) => this.#sent(payload)
    reply.hijack = () => this.#hijacked()
  }

  /** Whether Fastify has answered in place of a handler that took longer than its `handlerTimeout`. */
  get isTimedOut(): boolean {
    return this.#isTimedOut
  }

  /** Runs a handler until it has answered, in any of the ways that Fastify knows. */
  async answerOf(handler: () => unknown): Promise<HeldAnswer<Send>> {
    this.forgetAnswer()
    const sent = new Promise<HeldAnswer<Send>>((resolve, reject) => {
      this.#decide = (payload) => {
        this.#decide = undefined
        if (this.#isTimedOut) reject(payload)
        else resolve(this.#held(payload, () => this.#send(payload)))
      }
    })
    // It may come to nothing while the handler fails by itself.
    sent.catch(() => {})
    const returned = handler()
    if (isThenable(returned)) {
      // A reply that is returned is a promise of its own end, for which it waits until it is released.
      return Promise.race([sent, Promise.resolve(returned).then((payload) => this.#returned(payload))])
    }
    // Nothing returned and nothing sent: it is going to send from a callback.
    return returned === undefined ? sent : this.#returned(returned)
  }

  /** From now on the reply sends what it is told to send. */
  release(): void {
    this.#decide = undefined
    this.#isReleased = true
  }

  /** Has the reply as it was before a handler answered in vain: what that said of its answer is not true of another. */
  forgetAnswer(): void {
    if (!this.#hasDecided) return
    this.#hasDecided = false
    for (const name of Object.keys(this.#reply.getHeaders())) this.#reply.removeHeader(name)
    this.#reply.code(this.#before.status).headers(this.#before.headers)
  }

  #returned(payload: unknown): HeldAnswer<Send> {
    return this.#held(payload, () => payload)
  }

  #held(payload: unknown, answer: Send): HeldAnswer<Send> {
    this.#hasDecided = true
    hearErrors(payload)
    return { refuses: payload instanceof Error || refusesRequest(this.#reply.statusCode), answer }
  }

  #sent(payload: unknown): FastifyReply {
    if (this.#isReleased) return this.#send(payload)
    if ((payload as { readonly code?: unknown } | undefined)?.code === TIMED_OUT) {
      this.#isTimedOut = true
      // The client has waited for as long as it may: the transaction is rolled back behind the answer.
      this.#send(payload)
    }
    if (this.#decide === undefined) this.#reply.log.warn('a reply that is held for its transaction was sent twice')
    else this.#decide(payload)
    return this.#reply
  }

  #hijacked(): FastifyReply {
    if (this.#isReleased) return this.#hijack()
    throw new TransactionConflictError({
      pool: this.#pool,
      label: this.#reply.request.routeOptions.url ?? '',
      what: 'reply.hijack() was called in a route with `transaction`, whose reply must wait for the commit',
      remedy: 'Use pool.transaction() in the handler, and hijack the reply when it has been committed',
    })
  }
}

/** A stream that fails before anybody reads it would end the process. Fastify sees that it failed when it sends it. */
function hearErrors(payload: unknown): void {
  const { on, pipe } = (payload ?? {}) as Partial<NodeJS.ReadStream>
  if (typeof on === 'function' && typeof pipe === 'function') (payload as NodeJS.ReadStream).on('error', () => {})
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function'
}
