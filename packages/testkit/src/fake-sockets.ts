type SocketStage = 'opening' | 'open' | 'closing'

/** The sockets of a fake driver, counted by itself and not by the pool that is tested. */
export class FakeSockets {
  readonly #stages = new Map<object, SocketStage>()
  #peak = 0
  #opened = 0

  /** Moves a socket on; a new one starts as opening. */
  move(socket: object, to: SocketStage): void {
    if (to === 'open') this.#opened += 1
    this.#stages.set(socket, to)
    this.#peak = Math.max(this.#peak, this.#stages.size)
  }

  remove(socket: object): void {
    this.#stages.delete(socket)
  }

  get opening(): number {
    return this.#count('opening')
  }

  get open(): number {
    return this.#count('open')
  }

  get closing(): number {
    return this.#count('closing')
  }

  /** All that may be a socket at this moment: opening, open or closing. */
  get total(): number {
    return this.#stages.size
  }

  /** The most that `total` has ever been. */
  get peak(): number {
    return this.#peak
  }

  /** How many were ever opened to the end. */
  get opened(): number {
    return this.#opened
  }

  #count(stage: SocketStage): number {
    return [...this.#stages.values()].filter((each) => each === stage).length
  }
}
