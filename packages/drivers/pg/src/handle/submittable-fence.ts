import { bindToContext, type LeaseGate, type StreamOnSession } from '@leasehold/core'
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { nextTick, setImmediate } from '../session/event-loop.js'
import { refusalOf } from '../session/refusal-of.js'
import { redactLiterals } from '../sql/redact-literals.js'
import { textOf } from '../sql/text-of.js'
import { SEVER } from '../session/interrupt-statement.js'
import type { PgSession } from '../session/pg-session.js'
import type { PgConnection, PgSubmittable } from '../wire/pg-connection.js'
import { ConnectionFence } from './connection-fence.js'
import { fenceReads } from './fence-reads.js'

/** What pg calls on a Submittable, in the order of the protocol; ReadyForQuery and errors are dealt with apart. */
const CALLS = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleCommandComplete',
  'handleEmptyQuery',
  'handleCopyInResponse',
  'handleCopyData',
] as const

type Submittable = PgSubmittable & Record<string, unknown>

/**
 * Stands between pg and a cursor, a stream or a COPY. pg talks to `face`, which passes on in the caller's context; the
 * Submittable gets a connection that dies with the lease, or when its own statement is over. Without it a late
 * `cursor.read()` would go out on the next owner's connection, and kill it.
 */
export class SubmittableFence {
  /** What pg is given in place of the Submittable: of its class, with its properties. */
  readonly face: PgSubmittable
  readonly #submittable: Submittable
  readonly #session: PgSession
  readonly #gate: LeaseGate
  readonly #whenOver: (() => void) | undefined
  readonly #connection: ConnectionFence
  readonly #enter: (name: string, first: unknown, second: unknown) => unknown
  readonly #deliver: (error: Error) => void
  #outlive = (): void => {}
  #stream: StreamOnSession | undefined
  #moves = 0
  #isOut = false
  #isOver = false
  #isSevered = false
  /** It is being told that its statement has ended. */
  #isEnding = false

  constructor(submittable: PgSubmittable, session: PgSession, gate: LeaseGate, whenOver: (() => void) | undefined) {
    this.#submittable = submittable as Submittable
    this.#session = session
    this.#gate = gate
    this.#whenOver = whenOver
    this.#connection = new ConnectionFence(session, () => this.#maySend())
    this.#enter = bindToContext((name, first, second) => {
      const call = this.#submittable[name] as ((first: unknown, second: unknown) => unknown) | undefined
      return call?.call(this.#submittable, this.#swap(first), this.#swap(second))
    })
    this.#deliver = bindToContext((error) => deliverError(this.#submittable, error, this.#connection.face))
    this.face = this.#makeFace()
    fenceReads(submittable, gate)
    this.#outlive = gate.onEnd(() => this.#leaseEnded())
  }

  /** It is given to pg: others on the session, if it is shared, wait until it is over. */
  goesOut(): void {
    this.#isOut = true
    const { joined } = this.#gate
    if (joined === undefined) return
    const text = textOf(this.#submittable)
    const movesOf = (): number => this.#moves
    this.#stream = {
      holder: joined.holder,
      statement: text === undefined ? undefined : redactLiterals(text),
      get moves() {
        return movesOf()
      },
    }
    this.#session.stream = this.#stream
  }

  /** The lease is over: the Submittable hears of it, and of nothing else any more. */
  sever(error: Error): void {
    // Whoever gives the lease back when told of the end has cut nothing off.
    if (this.#isSevered || this.#isOver || this.#isEnding) return
    this.#isSevered = true
    nextTick(this.#deliver, error)
    if (this.#session.wire === undefined || this.#session.wire.isQuiet) this.#over()
  }

  #leaseEnded(): void {
    const refusal = refusalOf(this.#gate, 'read')
    if (refusal === undefined) return
    this.sever(refusal)
    void this.#endBatch()
  }

  /**
   * Nobody reads on, and others may go on with a session that they share: a portal that is open, or a COPY from us, would keep
   * them waiting for ever.
   */
  async #endBatch(): Promise<void> {
    const { wire, connection } = this.#session
    if (wire === undefined) return
    // One that goes back to its pool is cleaned by that, which has begun by then.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#isOut && !this.#isOver && !wire.isQuiet && wire.lostBy === undefined) {
      if (wire.isCopyingIn) return connection?.sendCopyFail('the lease ended before the COPY was complete')
      if (wire.isUnsynced && !wire.isRunning) return connection?.sync()
      await wire.changes.next(new AbortController().signal)
    }
  }

  #maySend(): boolean {
    return !this.#isOver && !this.#isSevered
  }

  #swap(argument: unknown): unknown {
    return argument === this.#session.connection ? this.#connection.face : argument
  }

  #makeFace(): PgSubmittable {
    const submittable = this.#submittable
    const properties: PropertyDescriptorMap = {
      submit: { value: (connection: unknown) => this.#enter('submit', connection, undefined) },
      handleReadyForQuery: { value: (connection: unknown) => this.#ready(connection) },
      handleError: { value: (error: Error, connection: unknown) => this.#failed(error, connection) },
      [SEVER]: { value: (error: Error) => this.sever(error) },
      // pg reads and writes these, for its timeouts and its binary mode; they belong on the Submittable.
      callback: throughTo(submittable, 'callback'),
      binary: throughTo(submittable, 'binary'),
    }
    for (const name of CALLS) {
      if (typeof submittable[name] !== 'function') continue
      properties[name] = {
        value: (first: unknown, second: unknown) => {
          this.#moves += 1
          if (!this.#isSevered) this.#enter(name, first, second)
        },
      }
    }
    return Object.create(submittable, properties) as PgSubmittable
  }

  #ready(connection: unknown): void {
    this.#isEnding = true
    if (!this.#isSevered) this.#enter('handleReadyForQuery', connection, undefined)
    this.#over()
  }

  #failed(error: Error, connection: unknown): void {
    this.#isEnding = true
    if (!this.#isSevered) this.#enter('handleError', error, connection)
    // A Submittable that does not ask for the end of its batch after an error would leave the line busy for ever.
    const { wire } = this.#session
    if (wire?.isUnsynced === true && wire.lostBy === undefined) this.#session.connection?.sync()
    this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#outlive()
    if (this.#session.stream === this.#stream) this.#session.stream = undefined
    this.#connection.dropListeners()
    this.#whenOver?.()
  }
}

function throughTo(target: Submittable, name: string): PropertyDescriptor {
  return {
    get: () => target[name],
    set: (value: unknown) => {
      target[name] = value
    },
  }
}

/**
 * Tells a Submittable that it failed. One that nobody listens to is told as well, so that whoever awaits it is answered,
 * but its error event must not end the process.
 */
export function deliverError(submittable: PgSubmittable, error: Error, connection?: PgConnection): void {
  const emitter = submittable as unknown as Partial<EventEmitter>
  if (emitter.listenerCount?.('error') === 0) emitter.on?.('error', () => {})
  if (isStream(submittable)) {
    submittable.destroy(error)
    // Its own end may depend on the server's error, as that of a COPY from the client does.
    if (submittable.closed) return
  }
  submittable.handleError?.(error, connection as PgConnection)
}

function isStream(submittable: object): submittable is Duplex {
  return typeof (submittable as Partial<Duplex>).destroy === 'function' && 'closed' in submittable
}
