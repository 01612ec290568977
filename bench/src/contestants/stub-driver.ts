import type { Driver, LeaseGate } from '@leasehold/core'
import { StubClient } from './stub-client.js'

const GATE: unique symbol = Symbol('gate')
const NUMBER: unique symbol = Symbol('number')

interface StubHandle extends StubClient {
  [GATE]: LeaseGate
  [NUMBER]: number
}

/** What the handles of one connection have in common, and how many there were. */
class StubSession {
  readonly base: object
  lendings = 0

  constructor(client: StubClient) {
    this.base = Object.create(client, { query: { value: fencedQuery }, end: { value: fencedEnd } }) as object
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
      const handle = Object.create(session.base) as StubHandle
      handle[GATE] = gate
      handle[NUMBER] = session.lendings += 1
      return handle
    },
  }
}
