import { SESSION } from '../session/pg-session.js'
import type { EventName, Listener } from '../session/handle-listeners.js'
import { GATE, NUMBER, type LeaseHandle } from './handle-fields.js'

type How = { readonly once: boolean; readonly first: boolean }

/**
 * The methods of an emitter, for one handle: it adds and removes listeners of its own. Node's would write into the
 * physical client's list, or half of them into the handle.
 */
export const emitterMethods: PropertyDescriptorMap = {
  on: method(adding({ once: false, first: false })),
  addListener: method(adding({ once: false, first: false })),
  once: method(adding({ once: true, first: false })),
  prependListener: method(adding({ once: false, first: true })),
  prependOnceListener: method(adding({ once: true, first: true })),
  off: method(removeListener),
  removeListener: method(removeListener),
  removeAllListeners: method(function (this: LeaseHandle, event?: EventName): LeaseHandle {
    this[SESSION].listeners.removeAll(this[NUMBER], event)
    return this
  }),
  listeners: method(listenersOf),
  rawListeners: method(listenersOf),
  listenerCount: method(function (this: LeaseHandle, event: EventName): number {
    return this[SESSION].listeners.of(this[NUMBER], event).length
  }),
  emit: method(function (this: LeaseHandle, event: EventName, ...args: unknown[]): boolean {
    stayCurrent(this, 'emit')
    return this[SESSION].client.emit(event, ...args)
  }),
}

function method(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true }
}

/** A handle whose lease is over may still listen and emit, until the connection is lent again. */
function stayCurrent(handle: LeaseHandle, operation: string): void {
  if (!handle[SESSION].isLast(handle[NUMBER])) handle[GATE].pass(operation)
}

function adding(how: How) {
  return function (this: LeaseHandle, event: EventName, listener: Listener): LeaseHandle {
    if (typeof listener !== 'function') throw new TypeError('The "listener" argument must be of type function')
    stayCurrent(this, 'on')
    const entry = { handle: this[NUMBER], gate: this[GATE], event, listener }
    this[SESSION].listeners.add(entry, how, this)
    return this
  }
}

function removeListener(this: LeaseHandle, event: EventName, listener: Listener): LeaseHandle {
  this[SESSION].listeners.remove(this[NUMBER], event, listener)
  return this
}

function listenersOf(this: LeaseHandle, event: EventName): Listener[] {
  return this[SESSION].listeners.of(this[NUMBER], event)
}
