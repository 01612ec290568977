import type { Scope } from '@leasehold/core'
import type { FastifyReply, FastifyRequest } from 'fastify'

type RawRequest = FastifyRequest['raw']
type RawResponse = FastifyReply['raw']

/** What `request.leasehold` is: the request's scope, and whether somebody still waits for the answer. */
export class RequestLeasehold {
  /** The scope of this request. It closes with the raw response. */
  readonly scope: Scope
  readonly #response: RawResponse
  readonly #onClose: () => void
  /** The socket that is listened to besides, for a pipelined request. */
  #socket: RawRequest['socket'] | undefined
  #controller: AbortController | undefined
  #ended = false
  #abandoned: DOMException | undefined

  constructor(scope: Scope, request: RawRequest, response: RawResponse) {
    this.scope = scope
    this.#response = response
    // `close` comes outside the request's context when a client hangs up: everything it needs is captured here.
    this.#onClose = () => this.#end()
    if (hasClosed(request, response)) {
      // A hook before ours took its time and the client did not wait: nobody would tell us again.
      this.#end()
      return
    }
    response.on('close', this.#onClose)
    if (response.socket === null) {
      // Pipelined: its response gets the socket when those before it are done, and if the socket closes earlier than
      // that, the response never emits `close`.
      this.#socket = request.socket
      this.#socket.on('close', this.#onClose)
    }
  }

  /**
   * Aborts when the response closes before the answer was finished: nobody waits for it any more. It does not abort
   * when all went well. (`scope.signal` aborts in both cases, and at the deadline. Fastify's own `request.signal`
   * aborts as soon as the body of a POST has been read.)
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abandoned !== undefined) this.#controller.abort(this.#abandoned)
    }
    return this.#controller.signal
  }

  /** Closes the scope as soon as the reply is hijacked: for an upgrade, whose socket may live for days. */
  closeAtHijack(reply: FastifyReply): void {
    const hijack = reply.hijack.bind(reply)
    reply.hijack = () => {
      void this.scope.close()
      return hijack()
    }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket?.off('close', this.#onClose)
    // Both: HTTP/2 says that an aborted stream has finished, HTTP/1 that one has ended whose bytes are still queued.
    if (this.#response.writableEnded && this.#response.writableFinished) {
      void this.scope.close()
      return
    }
    const gone = `the response to ${this.scope.label} closed before the answer was finished`
    this.#abandoned = new DOMException(gone, 'AbortError')
    this.#controller?.abort(this.#abandoned)
    void this.scope.close(this.#abandoned)
  }
}

function hasClosed(request: RawRequest, response: RawResponse): boolean {
  if (response.closed || response.destroyed) return true
  if (response.socket === null) return request.socket.destroyed
  // HTTP/2 knows it of the stream only.
  return (response as { readonly stream?: { readonly destroyed: boolean } }).stream?.destroyed === true
}
