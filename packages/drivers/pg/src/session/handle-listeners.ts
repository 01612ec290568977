import { bindToContext, type LeaseGate } from '@leasehold/core'
import { EventEmitter } from 'node:events'
import { setImmediate } from './event-loop.js'

export type Listener = (...args: unknown[]) => void
export type EventName = string | symbol

/** A listener, and the handle that it was put on. */
interface Added {
  readonly listener: Listener
  readonly by: object
}

interface Entry {
  /** The number of the handle that listens. */
  readonly handle: number
  readonly gate: LeaseGate
  readonly event: EventName
  /** Weakly: the client lives longer than a handle should, and listeners mostly know the handle that they were put on. */
  readonly added: WeakRef<Added>
  /** What the physical client calls. */
  readonly attached: Listener
  /** Kept for its own sake. */
  kept: Added | undefined
}

/** Who waits to be told something may never call the client again, and uses the connection all the same. */
const IN_USE: EventName = 'notification'

/**
 * The listeners that handles have put on one physical client. They run in the context in which they were added, and end
 * with their lease; those of the last handle stay until the connection is lent again, so that its holder learns of an
 * error that comes later. They live as long as their handle, which is not kept by them: but for those of notifications, while
 * any can come, a handle that nobody else has is forgotten, and they with it.
 */
export class HandleListeners {
  readonly #client: EventEmitter
  /** What each handle has added: it goes with the handle. */
  readonly #added = new WeakMap<object, Set<Added>>()
  #entries: Entry[] = []

  constructor(client: EventEmitter) {
    this.#client = client
    // After all that listen for the end have heard of it: what they know may be kept by nothing else. `on`, since a
    // stand-in for a client need not have more.
    client.on('end', () => setImmediate(() => this.#keepNone()))
  }

  /**
   * Adds a listener.
   *
   * @param by the handle that it is put on, which it sees as `this`.
   */
  add(
    { handle, gate, event, listener }: Pick<Entry, 'handle' | 'gate' | 'event'> & Pick<Added, 'listener'>,
    how: { readonly once: boolean; readonly first: boolean },
    by: object,
  ): void {
    const strongly = { listener, by }
    this.#addedBy(by).add(strongly)
    const added = new WeakRef(strongly)
    const attached = bindToContext((...args: unknown[]) => {
      const found = added.deref()
      if (how.once) this.#drop(entry)
      found?.listener.apply(found.by, args)
    })
    const entry: Entry = { handle, gate, event, added, attached, kept: event === IN_USE ? strongly : undefined }
    this.#entries.push(entry)
    this.#allowForAll()
    if (how.first) this.#client.prependListener(event, attached)
    else this.#client.on(event, attached)
  }

  /** Node warns of a leak where more than ten listen: that is meant of each handle, and not of all that share a session. */
  #allowForAll(): void {
    const handles = new Set(this.#entries.map(({ handle }) => handle)).size
    if (handles === 1) return
    const allowed = this.#client.getMaxListeners()
    const wanted = handles * EventEmitter.defaultMaxListeners
    if (allowed !== 0 && allowed < wanted) this.#client.setMaxListeners(wanted)
  }

  /** Removes the listener that was added last, as Node does. */
  remove(handle: number, event: EventName, listener: Listener): void {
    const found = this.#entries.findLast(
      (entry) => entry.handle === handle && entry.event === event && entry.added.deref()?.listener === listener,
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
      .flatMap((entry) => entry.added.deref()?.listener ?? [])
  }

  /** Removes those whose lease is over. */
  sweep(): void {
    if (this.#entries.length > 0) this.#dropWhere((entry) => !entry.gate.open)
  }

  clear(): void {
    this.#dropWhere(() => true)
  }

  #keepNone(): void {
    for (const entry of this.#entries) entry.kept = undefined
  }

  #dropWhere(matches: (entry: Entry) => boolean): void {
    for (const entry of this.#entries.filter(matches)) this.#drop(entry)
  }

  #drop(entry: Entry): void {
    const at = this.#entries.indexOf(entry)
    if (at !== -1) this.#entries.splice(at, 1)
    this.#client.removeListener(entry.event, entry.attached)
    const added = entry.added.deref()
    if (added !== undefined) this.#added.get(added.by)?.delete(added)
  }

  #addedBy(handle: object): Set<Added> {
    const added = this.#added.get(handle) ?? new Set()
    this.#added.set(handle, added)
    return added
  }
}
