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

/** The same, when all is over. */
export interface Outcome extends Counts {
  /** Of ordinary requests that were answered well. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** Counts requests and what became of them. */
export class Tally {
  readonly #total: Tally | undefined
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

  /** @param total counts the same, and what others count. */
  constructor(total?: Tally) {
    this.#total = total
  }

  sent(count = 1): void {
    this.#sent += count
    this.#total?.sent(count)
  }

  answered(status: number): void {
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1
    this.#total?.answered(status)
  }

  /** How long an ordinary request took that was answered well. */
  took(ms: number): void {
    this.#latenciesMs.push(ms)
    this.#total?.took(ms)
  }

  hungUp(how: HangUp, count = 1): void {
    this.#hungUp[how] += count
    this.#total?.hungUp(how, count)
  }

  unanswered(): void {
    this.#unanswered += 1
    this.#total?.unanswered()
  }

  get counts(): Counts {
    return {
      sent: this.#sent,
      byStatus: { ...this.#byStatus },
      hungUp: { ...this.#hungUp },
      unanswered: this.#unanswered,
    }
  }

  get outcome(): Outcome {
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    const atShare = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
    return { ...this.counts, latencyMs: { p50: atShare(0.5), p99: atShare(0.99) } }
  }
}
