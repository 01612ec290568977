import { EventEmitter } from 'node:events'

/** A connection without a server: opens and closes at once. It has what the pools look for on a client of theirs. */
export class StubClient extends EventEmitter {
  /** pg-pool does not keep a client without it. */
  readonly _queryable = true
  /** mysql2 does not keep a connection without it. */
  _pool: unknown
  _released = false

  connect(callback: (error?: Error) => void): void {
    process.nextTick(callback)
  }

  end(callback?: (error?: Error) => void): void {
    if (callback !== undefined) process.nextTick(callback)
  }

  _realEnd(callback: (error?: Error) => void): void {
    process.nextTick(callback)
  }

  query(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  ref(): void {}
  unref(): void {}
}
