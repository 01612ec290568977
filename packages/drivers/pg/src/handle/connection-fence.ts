import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { setImmediate } from '../session/event-loop.js'
import type { PgSession } from '../session/pg-session.js'
import type { PgConnection } from '../wire/pg-connection.js'
import { BoundListeners } from './bound-listeners.js'

const SENDS = [
  'query',
  'parse',
  'bind',
  'describe',
  'execute',
  'flush',
  'sync',
  'close',
  'sendCopyFromChunk',
  'endCopyFrom',
  'sendCopyFail',
  'end',
] as const

/**
 * pg's connection as one Submittable gets it: it sends while `maySend`, and is mute afterwards. Listeners put on it, and
 * on its socket, run in the context of whoever put them there, and go with it.
 */
export class ConnectionFence {
  readonly face: PgConnection
  readonly #session: PgSession
  readonly #maySend: () => boolean
  readonly #listeners: BoundListeners[] = []
  #stream: { readonly real: Duplex; readonly face: Duplex } | undefined

  constructor(session: PgSession, maySend: () => boolean) {
    this.#session = session
    this.#maySend = maySend
    this.face = session.connection === undefined ? (undefined as never) : this.#makeFace(session.connection)
  }

  /** The Submittable is done with. */
  dropListeners(): void {
    // While ReadyForQuery is being told, it is still to come for those who wait for it.
    const isToCome = this.#session.wire?.lostBy === undefined
    for (const listeners of this.#listeners) listeners.clear({ event: 'readyForQuery', isToCome })
  }

  #makeFace(connection: PgConnection): PgConnection {
    const listeners = this.#boundListeners(connection)
    const on = (event: string, listener: () => void): PgConnection => {
      this.#add(listeners, event, listener, false)
      return face
    }
    const off = (event: string, listener: () => void): PgConnection => {
      listeners.remove(event, listener)
      return face
    }
    const properties: PropertyDescriptorMap = {
      stream: { get: () => this.#streamOf(connection.stream) },
      on: { value: on },
      addListener: { value: on },
      once: {
        value: (event: string, listener: () => void): PgConnection => {
          this.#add(listeners, event, listener, true)
          return face
        },
      },
      off: { value: off },
      removeListener: { value: off },
    }
    for (const name of SENDS) {
      properties[name] = {
        value: (message?: unknown, more?: boolean) => {
          if (this.#maySend()) connection[name](message, more)
        },
      }
    }
    const face = Object.create(connection, properties) as PgConnection
    return face
  }

  #boundListeners(emitter: EventEmitter): BoundListeners {
    const listeners = new BoundListeners(emitter)
    this.#listeners.push(listeners)
    return listeners
  }

  #add(listeners: BoundListeners, event: string, listener: () => void, once: boolean): void {
    if (this.#maySend()) listeners.add(event, listener, once)
    // Who waits for the end of what was never sent (`cursor.close` does) must not wait for ever.
    else if (once) setImmediate(listener)
  }

  /** The socket, for pg-copy-streams, which writes to it and, for a COPY to the client, takes its data from pg. */
  #streamOf(real: Duplex): Duplex {
    if (this.#stream?.real === real) return this.#stream.face
    const listeners = this.#boundListeners(real)
    const methods: Record<string, unknown> = {
      write: (...args: Parameters<Duplex['write']>) => (this.#maySend() ? real.write(...args) : true),
      on: (event: string, listener: () => void) => this.#onStream(real, listeners, event, listener),
      addListener: (event: string, listener: () => void) => this.#onStream(real, listeners, event, listener),
      once: (event: string, listener: () => void) => this.#add(listeners, event, listener, true),
      removeListener: (event: string, listener: () => void) => this.#offStream(real, listeners, event, listener),
      off: (event: string, listener: () => void) => this.#offStream(real, listeners, event, listener),
    }
    const face = new Proxy(real, {
      get(target, name) {
        if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name]
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    this.#stream = { real, face }
    return face
  }

  /** The listener for `data` is pg's own parser: it is moved as it is, and tells who reads the socket. */
  #onStream(real: Duplex, listeners: BoundListeners, event: string, listener: () => void): void {
    if (event === 'data') {
      real.on(event, listener)
      this.#session.wire?.divert(false)
    } else this.#add(listeners, event, listener, false)
  }

  #offStream(real: Duplex, listeners: BoundListeners, event: string, listener: () => void): void {
    if (event === 'data') {
      real.removeListener(event, listener)
      this.#session.wire?.divert(true)
    } else listeners.remove(event, listener)
  }
}
