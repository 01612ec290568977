import { LeaseholdError } from '@leasehold/core'
import { pgDriver } from '@leasehold/pg'
import type { Duplex } from 'node:stream'
import type { KnexConnection } from './knex-internals.js'

export interface OpenStreamFacts {
  readonly pool: string
  readonly statement: string
  readonly stream: Duplex
  /** Settles when its connection is free for the next statement. */
  readonly over: Promise<unknown>
}

/**
 * A stream and the connection that it occupies: the next statement there, which must be one of the same transaction,
 * waits until it is read to its end. Whoever awaits that statement before reading on waits for ever.
 */
export class OpenStream {
  static readonly #byConnection = new WeakMap<KnexConnection, OpenStream>()
  readonly #facts: OpenStreamFacts
  #drained = 0

  static on(connection: KnexConnection): OpenStream | undefined {
    return OpenStream.#byConnection.get(connection)
  }

  constructor(connection: KnexConnection, facts: OpenStreamFacts) {
    this.#facts = facts
    facts.stream.on('drain', () => (this.#drained += 1))
    OpenStream.#byConnection.set(connection, this)
    const forget = (): void => {
      if (OpenStream.#byConnection.get(connection) === this) OpenStream.#byConnection.delete(connection)
    }
    facts.over.then(forget, forget)
  }

  /**
   * Resolves when the stream is over.
   *
   * @throws {LeaseholdError} when nobody has read on for `timeoutMs`, though there was something to read.
   */
  async turn(timeoutMs: number): Promise<void> {
    const { stream, over } = this.#facts
    for (;;) {
      const drained = this.#drained
      const wasFull = stream.writableNeedDrain
      if (await settlesWithin(over, timeoutMs)) return
      if (wasFull && stream.writableNeedDrain && this.#drained === drained) throw this.#stalled(timeoutMs)
    }
  }

  #stalled(timeoutMs: number): LeaseholdError {
    const { pool, statement } = this.#facts
    return new LeaseholdError({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      phase: 'queue',
      what:
        `a statement waited ${timeoutMs} ms behind a stream on the same connection of pool "${pool}", ` +
        `from which nobody read on: ${pgDriver().redact?.(statement)}`,
      remedy: 'Inside a transaction, read a stream to its end before the next statement, or stream outside of it',
      pool,
    })
  }
}

function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Node takes longer durations for 1 ms.
    const timer = timeoutMs > 0x7fffffff ? undefined : setTimeout(() => resolve(false), timeoutMs)
    const settled = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}
