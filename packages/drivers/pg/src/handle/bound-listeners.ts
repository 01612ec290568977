import { bindToContext } from '@leasehold/core'
import type { EventEmitter } from 'node:events'
import { setImmediate } from '../session/event-loop.js'

type Listener = (...args: unknown[]) => void

interface Entry {
  readonly event: string
  readonly listener: Listener
  /** What the emitter calls. */
  readonly attached: Listener
  readonly isOnce: boolean
}

/** Listeners put on an emitter for a while: each runs in the context in which it was added, and all can be taken off. */
export class BoundListeners {
  readonly #emitter: EventEmitter
  #entries: Entry[] = []

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter
  }

  add(event: string, listener: Listener, isOnce: boolean): void {
    const bound = bindToContext(listener)
    const attached: Listener = (...args) => {
      if (isOnce) this.remove(event, listener)
      bound(...args)
    }
    this.#entries.push({ event, listener, attached, isOnce })
    this.#emitter.on(event, attached)
  }

  remove(event: string, listener: Listener): void {
    const at = this.#entries.findLastIndex((entry) => entry.event === event && entry.listener === listener)
    const [entry] = at === -1 ? [] : this.#entries.splice(at, 1)
    if (entry !== undefined) this.#emitter.removeListener(event, entry.attached)
  }

  /**
   * Takes all off but who waits for one `last` event, if that is still to come: `cursor.close` waits for ReadyForQuery,
   * and so does whoever awaits it. If it is not, they are called now.
   */
  clear(last: { readonly event: string; readonly isToCome: boolean }): void {
    const waiting = this.#entries.filter((entry) => entry.event === last.event && entry.isOnce)
    for (const entry of this.#entries)
      if (!waiting.includes(entry)) this.#emitter.removeListener(entry.event, entry.attached)
    this.#entries = waiting
    if (!last.isToCome) for (const entry of waiting) setImmediate(entry.attached)
  }
}
