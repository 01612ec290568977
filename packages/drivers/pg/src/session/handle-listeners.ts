import { bindToContext, type LeaseGate } from '@leasehold/core'
import type { EventEmitter } from 'node:events'

export type Listener = (...args: unknown[]) => void
export type EventName = string | symbol

interface Entry {
  /** The number of the handle that listens. */
  readonly handle: number
  readonly gate: LeaseGate
  readonly event: EventName
  readonly listener: Listener
  /** What the physical client calls. */
  readonly attached: Listener
}

/**
 * The listeners that handles have put on one physical client. They run in the context in which they were added, and end
 * with their lease; those of the last handle stay until the connection is lent again, so that its holder learns of an
 * error that comes later.
 */
export class HandleListeners {
  readonly #client: EventEmitter
  #entries: Entry[] = []

  constructor(client: EventEmitter) {
    this.#client = client
  }

  /**
   * Adds a listener.
   *
   * @param self what the listener sees as `this`, weakly: the client lives longer than a handle should.
   */
  add(
    entry: Omit<Entry, 'attached'>,
    how: { readonly once: boolean; readonly first: boolean },
    self: WeakRef<object>,
  ): void {
    const attached = bindToContext((...args: unknown[]) => {
      if (how.once) this.#drop(added)
      entry.listener.apply(self.deref(), args)
    })
    const added: Entry = { ...entry, attached }
    this.#entries.push(added)
    if (how.first) this.#client.prependListener(entry.event, attached)
    else this.#client.on(entry.event, attached)
  }

  /** Removes the listener that was added last, as Node does. */
  remove(handle: number, event: EventName, listener: Listener): void {
    const found = this.#entries.findLast(
      (entry) => entry.handle === handle && entry.event === event && entry.listener === listener,
    )
    if (found !== undefined) this.#drop(found)
  }

  removeAll(handle: number, event: EventName | undefined): void {
    this.#dropWhere((entry) => entry.handle === handle && (event === undefined || entry.event === event))
  }

  /** The listeners of one handle for one event. */
  of(handle: number, event: EventName): Listener[] {
    return this.#entries
      .filter((entry) => entry.handle === handle && entry.event === event)
      .map((entry) => entry.listener)
  }

  /** Removes those whose lease is over. */
  sweep(): void {
    if (this.#entries.length > 0) this.#dropWhere((entry) => !entry.gate.open)
  }

  clear(): void {
    this.#dropWhere(() => true)
  }

  #dropWhere(matches: (entry: Entry) => boolean): void {
    for (const entry of this.#entries.filter(matches)) this.#drop(entry)
  }

  #drop(entry: Entry): void {
    const at = this.#entries.indexOf(entry)
    if (at !== -1) this.#entries.splice(at, 1)
    this.#client.removeListener(entry.event, entry.attached)
  }
}
