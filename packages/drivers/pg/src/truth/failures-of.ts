import type { ObservedSession, Outcome } from './observed-session.js'
import type { Step } from './step.js'

export interface Sequence {
  readonly name: string
  readonly steps: readonly Step[]
}

/** What a rollback does not undo: of a statement that failed nobody can tell whether it got so far. */
const LASTING: ReadonlySet<string> = new Set(['advisory-lock', 'prepared', 'cursor', 'slot'])

/** Plays the sequences, and returns what is not as users rely on it, one line for each fault. */
export async function failuresOf(
  session: ObservedSession,
  sequences: readonly Sequence[],
  { mayHoldMore = false }: { readonly mayHoldMore?: boolean } = {},
): Promise<readonly string[]> {
  const failures: string[] = []
  for (const { name, steps } of sequences) {
    const told = await session.play(steps)
    const outcome = mayHoldMore ? { ...told, excess: [] } : told
    for (const fault of faultsOf(outcome)) failures.push(`${name} — ${fault}`)
  }
  return failures
}

/** What is not as users rely on it. */
export function faultsOf({ missing, excess, leftOver, errors }: Outcome): readonly string[] {
  const hasFailed = errors.length > 0
  const tooMuch = hasFailed ? excess.filter((pin) => !LASTING.has(pin.split(' ')[0] ?? '')) : excess
  return [
    ...missing.map((fact) => `missing from the ledger: ${fact}`),
    ...tooMuch.map((pin) => `in the ledger without reason: ${pin}`),
    ...leftOver.map((fact) => `left for the next owner: ${fact}`),
  ]
}
