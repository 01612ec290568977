import type { PinRecord } from '@leasehold/core'

/** What `set x` has left on one fake session, as its server knows it. */
export class FakeLeftovers {
  #names = new Set<string>()
  /** What they were when the open transaction began. */
  #before: ReadonlySet<string> | undefined

  get names(): readonly string[] {
    return [...this.#names].toSorted()
  }

  set(name: string): void {
    this.#names.add(name)
  }

  clear(name: string): void {
    this.#names.delete(name)
  }

  begin(): void {
    this.#before ??= new Set(this.#names)
  }

  end(succeeds: boolean): void {
    if (!succeeds && this.#before !== undefined) this.#names = new Set(this.#before)
    this.#before = undefined
  }

  undo(pins: readonly PinRecord[]): void {
    for (const { name = '', change } of pins) {
      if (change === 'set') this.clear(name)
      else this.set(name)
    }
  }
}
