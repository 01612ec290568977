import type { Driver, LeaseGate } from '@leasehold/core'
import { StubClient } from './stub-client.js'

const GATE: unique symbol = Symbol('gate')
const NUMBER: unique symbol = Symbol('number')
const SESSION: unique symbol = Symbol('session')

interface StubHandle extends WatchedClient {
  readonly [GATE]: LeaseGate
  readonly [NUMBER]: number
}

/** A connection that knows its session, as a client of `@leasehold/pg` does. */
export class WatchedClient extends StubClient {
  [SESSION]: StubSession | undefined
}

type HandleConstructor = new (gate: LeaseGate, number: number) => StubHandle

/** What is kept for one connection: what its handles have in common, and how many there were. */
class StubSession {
  readonly Handle: HandleConstructor
  lendings = 0

  constructor(client: StubClient) {
    // A constructor for each connection: Object.create and two assignments take about three times as long.
    function Handle(this: { [GATE]: LeaseGate; [NUMBER]: number }, gate: LeaseGate, number: number): void {
      this[GATE] = gate
      this[NUMBER] = number
    }
    Handle.prototype = Object.create(new Proxy(client, {}), {
      query: { value: fencedQuery },
      end: { value: fencedEnd },
      [GATE]: { value: undefined, writable: true },
      [NUMBER]: { value: undefined, writable: true },
    }) as object
    this.Handle = Handle as unknown as HandleConstructor
  }
}

function fencedQuery(this: StubHandle): Promise<undefined> {
  this[GATE].pass('query')
  return Promise.resolve(undefined)
}

function fencedEnd(this: StubHandle): void {
  this[GATE].discard('ended by its holder')
}

/**
 * A driver of stubs, whose handles have the shape of those of `@leasehold/pg`: an object with two fields, whose prototype
 * is what the connection's handles have in common, whose prototype is a proxy of the client.
 */
export function stubDriver(): Driver<WatchedClient> {
  return {
    name: 'stub',
    connect: () => Promise.resolve(new WatchedClient()),
    check: () => Promise.resolve(),
    watch: () => () => {},
    reset: () => Promise.resolve(),
    close: () => Promise.resolve(),
    classify: () => 'query',
    lend(client, gate) {
      const session = (client[SESSION] ??= new StubSession(client))
      session.lendings += 1
      return new session.Handle(gate, session.lendings)
    },
  }
}
