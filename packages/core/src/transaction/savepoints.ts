/** Who works in a transaction. */
export interface SavepointOwner {
  /** Whose it is, for errors. */
  readonly title: string
  /** Whether what `owner` opened is this one's as well: its own, or opened around it. */
  owns(owner: SavepointOwner): boolean
}

/** Part of a transaction that can be undone. */
export interface Savepoint {
  readonly name: string
  readonly owner: SavepointOwner
}

interface OpenSavepoint extends Savepoint {
  /** Who has worked in it and is not its owner: to undo it would undo that as well. */
  stranger: SavepointOwner | undefined
}

/**
 * The savepoints of one transaction, as its server has them: a stack, whoever makes them. What runs side by side in one
 * transaction lies in each other's savepoints; so it is kept in mind whose work lies in which, and nothing is undone unseen.
 */
export class Savepoints {
  readonly #open: OpenSavepoint[] = []
  #made = 0

  open(owner: SavepointOwner): Savepoint {
    this.#made += 1
    const savepoint = { name: `leasehold_${this.#made}`, owner, stranger: undefined }
    this.#open.push(savepoint)
    return savepoint
  }

  has(savepoint: Savepoint): boolean {
    return this.#open.some(({ name }) => name === savepoint.name)
  }

  /** Whether nothing lies on top of it. */
  isOnTop(savepoint: Savepoint): boolean {
    return this.#open.at(-1)?.name === savepoint.name
  }

  /** `who` does something: it lies in all savepoints above its own. */
  work(who: SavepointOwner): void {
    this.#mark(who, this.#open.length - 1)
  }

  /**
   * Ends a savepoint, whose work lies from now on in those below it.
   *
   * @returns who else has worked in it.
   */
  close(savepoint: Savepoint): SavepointOwner | undefined {
    const at = this.#indexOf(savepoint)
    if (at < 0) return undefined
    const [closed] = this.#open.splice(at, 1)
    this.#mark(savepoint.owner, at - 1)
    return closed?.stranger
  }

  /**
   * Undoes all since a savepoint, and ends it unless it `stays`.
   *
   * @returns who else has lost work by it.
   */
  undo(savepoint: Savepoint, stays: boolean): SavepointOwner | undefined {
    const at = this.#indexOf(savepoint)
    const undone = this.#open[at]
    if (undone === undefined) return undefined
    const above = this.#open.slice(at + 1)
    const other = above.find(({ owner }) => !undone.owner.owns(owner) && !owner.owns(undone.owner))
    const stranger = undone.stranger ?? other?.owner
    this.#open.splice(stays ? at + 1 : at)
    undone.stranger = undefined
    return stranger
  }

  #indexOf({ name }: Savepoint): number {
    return this.#open.findIndex((open) => open.name === name)
  }

  #mark(who: SavepointOwner, from: number): void {
    for (let at = from; at >= 0; at -= 1) {
      const open = this.#open[at]
      if (open === undefined || who.owns(open.owner)) return
      open.stranger ??= who
    }
  }
}
