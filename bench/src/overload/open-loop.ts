/** What callers with a deadline have got. */
export interface Outcome {
  readonly arrived: number
  /** Answered within the deadline. */
  readonly good: number
  /** Answered after it. */
  readonly late: number
  readonly refused: number
  /** Milliseconds from the arrival to the answer, of the good ones. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds from the arrival to the refusal, half of them. */
  readonly refusalP50: number
}

export interface Load {
  readonly perSecond: number
  readonly seconds: number
  readonly deadlineMs: number
}

/** Callers who come when they come, at random moments, however many wait already: as requests from outside do. */
export async function openLoop(load: Load, ask: () => Promise<unknown>): Promise<Outcome> {
  const { perSecond, seconds, deadlineMs } = load
  const good: number[] = []
  const refusals: number[] = []
  let late = 0
  const answers: Array<Promise<void>> = []
  const startedAt = performance.now()
  let dueAt = startedAt
  const endsAt = startedAt + seconds * 1_000
  const arrive = async (at: number): Promise<void> => {
    try {
      await ask()
      const tookMs = performance.now() - at
      if (tookMs <= deadlineMs) good.push(tookMs)
      else late += 1
    } catch {
      refusals.push(performance.now() - at)
    }
  }
  while (dueAt < endsAt) {
    while (dueAt <= performance.now() && dueAt < endsAt) {
      answers.push(arrive(dueAt))
      dueAt += (-Math.log(1 - Math.random()) * 1_000) / perSecond
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
  return {
    arrived: answers.length,
    good: good.length,
    late,
    refused: refusals.length,
    p50: quantile(good, 0.5),
    p99: quantile(good, 0.99),
    refusalP50: quantile(refusals, 0.5),
  }
}

/** Answers a second when there is always somebody to ask, and nobody more than can be served. */
export async function capacityOf(callers: number, seconds: number, ask: () => Promise<unknown>): Promise<number> {
  let answered = 0
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1_000
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < endsAt) {
        await ask()
        answered += 1
      }
    }),
  )
  return (answered * 1_000) / (performance.now() - startedAt)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
