/** In what way a client left without its answer. */
export type HangUp = 'while waiting' | 'after its body' | 'mid-stream' | 'when the load ended'

/** What became of the clients' requests. */
export interface Counts {
  readonly sent: number
  /** How many answers there were of each status. */
  readonly byStatus: Readonly<Record<string, number>>
  readonly hungUp: Readonly<Record<HangUp, number>>
  /** Sockets that broke, and answers that never came. */
  readonly unanswered: number
}

/** Counts requests and what became of them. */
export class Tally {
  readonly #byStatus: Record<string, number> = {}
  readonly #hungUp: Record<HangUp, number> = {
    'while waiting': 0,
    'after its body': 0,
    'mid-stream': 0,
    'when the load ended': 0,
  }
  #sent = 0
  #unanswered = 0
  readonly #latenciesMs: number[] = []

  sent(count = 1): void {
    this.#sent += count
  }

  answered(status: number): void {
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1
  }

  /** How long an ordinary request took that was answered well. */
  took(ms: number): void {
    this.#latenciesMs.push(ms)
  }

  hungUp(how: HangUp, count = 1): void {
    this.#hungUp[how] += count
  }

  unanswered(): void {
    this.#unanswered += 1
  }

  get counts(): Counts {
    return {
      sent: this.#sent,
      byStatus: { ...this.#byStatus },
      hungUp: { ...this.#hungUp },
      unanswered: this.#unanswered,
    }
  }

  get latencyMs(): { readonly p50: number; readonly p99: number } {
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    const atShare = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
    return { p50: atShare(0.5), p99: atShare(0.99) }
  }
}
