import { median } from './median.js'
import { shuffled } from './shuffled.js'

/** One who takes part in every round. */
export interface Racer {
  readonly name: string
  /** One measurement; resolves with what was measured. */
  race(): Promise<number>
}

/** What every racer achieved, round by round: the same place in two of the lists is the same round. */
export class Rounds {
  readonly #results: ReadonlyMap<string, readonly number[]>

  constructor(results: ReadonlyMap<string, readonly number[]>) {
    this.#results = results
  }

  of(name: string): readonly number[] {
    const results = this.#results.get(name)
    if (results === undefined) throw new Error(`nobody called "${name}" took part`)
    return results
  }

  median(name: string): number {
    return median(this.of(name))
  }

  /**
   * How `name` compares with `base`: the median of what each round says. A machine that is busy with something else is
   * so for both of a pair, where medians of the two taken apart would compare different minutes.
   */
  ratio(name: string, base: string): number {
    const bases = this.of(base)
    return median(this.of(name).map((result, round) => result / (bases[round] ?? Number.NaN)))
  }
}

/**
 * Lets all race in every round, in another order each time. The first rounds are not counted: the code is still cold.
 * Nothing is collected in between: a forced collection takes away the hidden classes of which no object lives at that
 * moment, and with them the optimized code of whoever has no lease out.
 */
export async function runRounds(
  racers: readonly Racer[],
  { rounds, cold }: { readonly rounds: number; readonly cold: number },
): Promise<Rounds> {
  const results = new Map<string, number[]>(racers.map(({ name }) => [name, []]))
  for (let round = -cold; round < rounds; round += 1) {
    for (const racer of shuffled(racers)) {
      const result = await racer.race()
      if (round >= 0) results.get(racer.name)?.push(result)
    }
  }
  return new Rounds(results)
}
