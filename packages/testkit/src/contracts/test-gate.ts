import type { LeaseGate, PoolMode } from '@leasehold/core'

/** The gate of a lease that a test opens and ends by itself, without a pool. */
export class TestGate implements LeaseGate {
  readonly mode: PoolMode
  readonly owner: object
  /** What handles asked of it, in order. */
  readonly asked: string[] = []
  readonly #whenEnded = new Set<() => void>()
  #isOpen = true

  /** @param owner that of leases which share the session; by default this one has it for itself. */
  constructor(mode: PoolMode = 'transaction', owner?: object) {
    this.mode = mode
    this.owner = owner ?? this
  }

  get open(): boolean {
    return this.#isOpen
  }

  pass(operation: string): void {
    if (!this.#isOpen) throw codedError('LEASEHOLD_LEASE_RELEASED', `${operation} after the lease was over`)
    this.asked.push(`pass ${operation}`)
  }

  refuseTransaction(): void {
    this.asked.push('refuseTransaction')
    if (this.mode === 'statement') throw codedError('LEASEHOLD_MODE_VIOLATION', 'a transaction in statement mode')
  }

  refusePin(pin: string): void {
    this.asked.push(`refusePin ${pin}`)
    if (this.mode === 'statement') throw codedError('LEASEHOLD_MODE_VIOLATION', `${pin} in statement mode`)
  }

  siteOf(): undefined {
    return undefined
  }

  release(): void {
    this.asked.push('release')
    this.end()
  }

  discard(): void {
    this.asked.push('discard')
    this.end()
  }

  onEnd(callback: () => void): () => void {
    if (this.#isOpen) this.#whenEnded.add(callback)
    else callback()
    return () => void this.#whenEnded.delete(callback)
  }

  /** The pool takes the lease back. */
  end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const callback of this.#whenEnded) callback()
  }
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
