import type { Driver, LeaseGate } from '@leasehold/core'
import { StubClient } from './stub-client.js'

const GATE: unique symbol = Symbol('gate')
const NUMBER: unique symbol = Symbol('number')

interface StubHandle extends StubClient {
  readonly [GATE]: LeaseGate
  readonly [NUMBER]: number
}

type HandleConstructor = new (gate: LeaseGate, number: number) => StubHandle

/** What is kept for one connection: what its handles have in common, and how many there were. */
class StubSession {
  readonly Handle: HandleConstructor
  lendings = 0

  constructor(client: StubClient) {
    function Handle(this: { [GATE]: LeaseGate; [NUMBER]: number }, gate: LeaseGate, number: number): void {
      this[GATE] = gate
      this[NUMBER] = number
    }
    Handle.prototype = Object.create(client, { query: { value: fencedQuery }, end: { value: fencedEnd } }) as object
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

/** A driver of stubs, whose handles are made as `@leasehold/pg` makes its own: one object, two fields, two prototypes. */
export function stubDriver(): Driver<StubClient> {
  const sessions = new WeakMap<StubClient, StubSession>()
  return {
    name: 'stub',
    connect: () => Promise.resolve(new StubClient()),
    check: () => Promise.resolve(),
    watch: () => () => {},
    reset: () => Promise.resolve(),
    close: () => Promise.resolve(),
    classify: () => 'query',
    lend(client, gate) {
      let session = sessions.get(client)
      if (session === undefined) sessions.set(client, (session = new StubSession(client)))
      session.lendings += 1
      return new session.Handle(gate, session.lendings)
    },
  }
}
