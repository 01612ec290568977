import { bindToContext } from '@leasehold/core'
import type { EventEmitter } from 'node:events'

type Listener = (...args: unknown[]) => void

/** Listeners put on an emitter for a while: each runs in the context in which it was added, and all can be taken off. */
export class BoundListeners {
  readonly #emitter: EventEmitter
  #entries: Array<{ readonly event: string; readonly listener: Listener; readonly attached: Listener }> = []

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter
  }

  add(event: string, listener: Listener, once: boolean): void {
    const bound = bindToContext(listener)
    const attached: Listener = (...args) => {
      if (once) this.remove(event, listener)
      bound(...args)
    }
    this.#entries.push({ event, listener, attached })
    this.#emitter.on(event, attached)
  }

  remove(event: string, listener: Listener): void {
    const at = this.#entries.findLastIndex((entry) => entry.event === event && entry.listener === listener)
    const [entry] = at === -1 ? [] : this.#entries.splice(at, 1)
    if (entry !== undefined) this.#emitter.removeListener(event, entry.attached)
  }

  clear(): void {
    for (const { event, attached } of this.#entries.splice(0)) this.#emitter.removeListener(event, attached)
  }
}
