import type { Connection } from '../connection/connection.js'

/**
 * The idle connections in the order in which they came to rest. `lifo` lends the one that rested last, so that the
 * others can be closed when load falls; `fifo` lends them in turn.
 */
export class IdleStack<Client> {
  // Pools are small, so shift and splice on an array beat any linked structure.
  readonly #connections: Array<Connection<Client>> = []
  readonly #order: 'lifo' | 'fifo'

  constructor(order: 'lifo' | 'fifo') {
    this.#order = order
  }

  get size(): number {
    return this.#connections.length
  }

  push(connection: Connection<Client>): void {
    this.#connections.push(connection)
    // One that comes from a check has rested for longer than those on top of it, and goes back to its place.
    for (let index = this.#connections.length - 1; index > 0; index -= 1) {
      const below = this.#connections[index - 1]
      if (below === undefined || restingSince(below) <= restingSince(connection)) break
      this.#connections[index] = below
      this.#connections[index - 1] = connection
    }
  }

  /** The next one to lend. */
  take(): Connection<Client> | undefined {
    return this.#order === 'lifo' ? this.#connections.pop() : this.#connections.shift()
  }

  /** The next one to lend of those that fit. */
  takeFitting(fits: (connection: Connection<Client>) => boolean): Connection<Client> | undefined {
    const index = this.#order === 'lifo' ? this.#connections.findLastIndex(fits) : this.#connections.findIndex(fits)
    return index < 0 ? undefined : this.#connections.splice(index, 1)[0]
  }

  /** Takes out one in particular; false when it is not here. */
  remove(connection: Connection<Client>): boolean {
    const index = this.#connections.indexOf(connection)
    if (index < 0) return false
    this.#connections.splice(index, 1)
    return true
  }

  /** A copy, idle longest first. */
  longestFirst(): Array<Connection<Client>> {
    return [...this.#connections]
  }
}

function restingSince<Client>({ state }: Connection<Client>): number {
  return state.at === 'idle' ? state.since : Number.POSITIVE_INFINITY
}
