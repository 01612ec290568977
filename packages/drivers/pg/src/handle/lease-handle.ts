import type { LeaseGate } from '@leasehold/core'
import type * as pg from 'pg'
import { SESSION, type PgSession } from '../session/pg-session.js'
import { emitterMethods } from './emitter-methods.js'
import { endByHolder, sendStatement } from './leased-statements.js'
import { GATE, NUMBER, type LeaseHandle } from './handle-fields.js'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** What every handle of every connection does in its own way; the rest falls through to the physical client. */
const FENCED: PropertyDescriptorMap = {
  query: {
    value(this: LeaseHandle, statement: unknown, values?: unknown, callback?: unknown): unknown {
      return sendStatement(this, statement, values, callback)
    },
    writable: true,
    configurable: true,
  },
  getTransactionStatus: {
    value(this: LeaseHandle): string | null {
      return transactionStatusOf(this)
    },
    writable: true,
    configurable: true,
  },
  end: {
    value(this: LeaseHandle, callback?: () => void): Promise<void> | undefined {
      return endByHolder(this, callback)
    },
    writable: true,
    configurable: true,
  },
  ...emitterMethods,
}

/**
 * The fenced handle of one lease: an object whose prototype is what all handles of the connection have in common, whose
 * prototype shows the physical client. So `instanceof`, unknown properties and a later `toString` fall through, and making
 * one costs one object with three fields.
 */
export function leaseHandle(session: PgSession, gate: LeaseGate): pg.Client {
  session.Handle ??= handleClassOf(session)
  const number = session.lend(gate)
  const handle = new session.Handle(gate, number)
  if (number === 1) session.introduce(handle)
  return handle
}

/**
 * Makes the handles of one connection: what they have in common is made once, and V8 knows their shape.
 *
 * The client stands behind a proxy without traps: an object that is itself a prototype gets a hidden class of its own,
 * and a profile charged 2.7 µs a query to pg's own look-ups on such clients. That whole requests gain by it has not been
 * shown: the runs scattered by more than that. Only what falls through to the client passes the proxy; the fields of a
 * handle stand on its prototype too, or setting them would.
 */
function handleClassOf(session: PgSession): NonNullable<PgSession['Handle']> {
  function Handle(this: Mutable<LeaseHandle>, gate: LeaseGate, number: number) {
    this[GATE] = gate
    this[NUMBER] = number
    // A property of its own, as pg-pool makes it: it may be passed on without its handle (`.finally(client.release)`), and spied on.
    this.release = (said) => giveBack(this, said)
  }
  Handle.prototype = Object.create(new Proxy(session.client, {}), {
    ...FENCED,
    [SESSION]: { value: session },
    [GATE]: { value: undefined, writable: true },
    [NUMBER]: { value: undefined, writable: true },
    release: { value: undefined, writable: true },
  }) as object
  return Handle as unknown as NonNullable<PgSession['Handle']>
}

/** Inside a transaction around it, a lease is in one only if its holder has begun it or knows of it. */
function transactionStatusOf(handle: LeaseHandle): string | null {
  const { client, begin } = handle[SESSION]
  const gate = handle[GATE]
  const { joined } = gate
  const isIdle = joined !== undefined && !joined.isWhole && !joined.hasInner
  if (isIdle) return 'I'
  return begin.isOpenFor(gate) ? 'T' : client.getTransactionStatus()
}

/** Gives the lease of a handle back; with anything truthy to say, its connection is closed. Harmless when it is over. */
export function giveBack(handle: LeaseHandle, said?: unknown): void {
  const gate = handle[GATE]
  if (!gate.open) return
  const session = handle[SESSION]
  session.lastHandle = handle
  try {
    session.events?.released(said, handle)
  } finally {
    // What is dead needs no cleaning: so it stops counting at once, as a client that says so itself does in pg-pool.
    const reason = said || session.lostBy
    if (reason) gate.discard(reason)
    else gate.release()
  }
}
