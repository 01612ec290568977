import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Settings } from '../ports/settings.js'
import type { Scope } from '../scope/scope.js'
import { whenClosed } from './when-closed.js'

/** What `request.leasehold` is: the request's scope, and whether somebody still waits for the answer. */
export class RequestLeasehold {
  #scope: Scope
  /** The scopes that the request had before this one. They close with it. */
  #before: Scope[] | undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #ended: (() => void) | undefined
  readonly #onClose: () => void
  /** Ends the wait for the end of the socket, which a pipelined request waits for besides. */
  #leaveSocket: (() => void) | undefined
  #controller: AbortController | undefined
  #state: 'open' | 'answered' | 'abandoned' = 'open'
  #abandoned: DOMException | undefined

  /**
   * Made by bindings, for each request: closes its scope with the raw response, whatever becomes of that.
   *
   * @param ended is told when that has happened.
   */
  constructor(scope: Scope, request: IncomingMessage, response: ServerResponse, ended?: () => void) {
    this.#scope = scope
    this.#request = request
    this.#response = response
    this.#ended = ended
    // `close` comes outside the request's context when a client hangs up: everything it needs is captured here.
    this.#onClose = () => this.#end()
    if (hasClosed(request, response)) {
      // What ran before us took its time and the client did not wait: nobody would tell us again.
      this.#end()
      return
    }
    response.on('close', this.#onClose)
    if (response.socket === null) {
      // Pipelined: its response gets the socket when those before it are done, and if the socket closes earlier than
      // that, the response never emits `close`.
      this.#leaveSocket = whenClosed(request.socket, this.#onClose)
    }
  }

  /** The scope of this request. It closes with the raw response. */
  get scope(): Scope {
    return this.#scope
  }

  /**
   * Aborts when the response closes before the answer was finished: nobody waits for it any more. It does not abort
   * when all went well. (`scope.signal` aborts in both cases, and at the deadline. Signals that frameworks make of the
   * request's own `close` abort as soon as the body of a POST has been read.)
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abandoned !== undefined) this.#controller.abort(this.#abandoned)
    }
    return this.#controller.signal
  }

  /**
   * Declares settings for the leases that follow in this request: after authentication,
   * `request.leasehold.set({ 'app.tenant_id': user.tenant })`. @see Scope.set
   */
  set(settings: Settings, pool?: object): void {
    this.#scope.set(settings, pool)
  }

  /**
   * For bindings: gives the rest of the request another scope. The one that it had goes on for whoever works in it, and
   * closes with the response as well.
   */
  continueIn(scope: Scope): void {
    ;(this.#before ??= []).push(this.#scope)
    this.#scope = scope
    if (this.#state !== 'open') void scope.close(this.#abandoned)
  }

  #end(): void {
    if (this.#state !== 'open') return
    this.#leaveSocket?.()
    // Both: HTTP/2 says that an aborted stream has finished, HTTP/1 that one has ended whose bytes are still queued.
    const { writableEnded, writableFinished } = this.#response
    // An injected request has a socket that nothing closes, and a response that never says it has finished.
    if (writableEnded && (writableFinished || !this.#request.socket.destroyed)) this.#state = 'answered'
    else {
      this.#state = 'abandoned'
      const gone = `the response to ${this.#scope.label} closed before the answer was finished`
      this.#abandoned = new DOMException(gone, 'AbortError')
      this.#controller?.abort(this.#abandoned)
    }
    void this.#scope.close(this.#abandoned)
    if (this.#before !== undefined) for (const scope of this.#before) void scope.close(this.#abandoned)
    this.#ended?.()
  }
}

function hasClosed(request: IncomingMessage, response: ServerResponse): boolean {
  if (response.closed || response.destroyed) return true
  if (response.socket === null) return request.socket.destroyed
  // HTTP/2 knows it of the stream only.
  return (response as { readonly stream?: { readonly destroyed: boolean } }).stream?.destroyed === true
}
