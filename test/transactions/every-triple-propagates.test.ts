import { describe, it } from 'vitest'
import { MEMBERS } from './members.js'
import { ask, insert, type Plan, type Step } from './plan.js'
import { PROPAGATIONS } from './propagations.js'
import { useStage } from './use-stage.js'

const stage = useStage()

interface Trouble {
  readonly innermost?: Step
  readonly outermost?: Step
  /** Whether the one in the middle goes on when the innermost fails; the outermost always does. */
  readonly isCaught?: boolean
}

const TROUBLES: readonly Trouble[] = [
  {},
  { innermost: { does: 'throw' }, isCaught: true },
  { innermost: { does: 'throw' } },
  { innermost: { does: 'fail', isSwallowed: true } },
  { outermost: { does: 'throw' } },
]

const places = MEMBERS.map((_, by) => by)
const TRIPLES = places.flatMap((a) => places.flatMap((b) => places.map((c) => [a, b, c] as const)))

describe.each(
  TRIPLES.map((triple, number) => ({ triple, number, names: triple.map((by) => MEMBERS[by]?.name).join(' > ') })),
)('$names, each in a transaction inside that of the one before', ({ triple, number }) => {
  it('leave what their propagations say, whatever fails', async () => {
    const plans = PROPAGATIONS.flatMap((middle, shift) =>
      PROPAGATIONS.map((innermost, more) => {
        // So that these members meet each trouble under each innermost one, and all of them together every combination.
        const trouble = TROUBLES[(number + shift) % TROUBLES.length] ?? {}
        const outermost = PROPAGATIONS[(number + shift + more) % PROPAGATIONS.length] ?? 'required'
        return planOf(triple, [outermost, middle, innermost], trouble)
      }),
    )
    await stage.expectFates(plans)
  })

  it('keep what each of their own transactions committed, if those around it did, and nothing else', async () => {
    const plans = TROUBLES.map((trouble): Plan => {
      const own = planOf(triple, ['own', 'own', 'own'], trouble)
      return { asks: 'required', by: triple[2], steps: [insert('before'), ask(own), insert('after')], isCaught: true }
    })
    await stage.expectFates(plans)
  })
})

type Three<T> = readonly [T, T, T]

function planOf([a, b, c]: Three<number>, asks: Three<Plan['asks']>, trouble: Trouble): Plan {
  const { innermost, outermost, isCaught = false } = trouble
  const third: Plan = { asks: asks[2], by: c, steps: [insert('3'), ...some(innermost)], isCaught }
  const second: Plan = { asks: asks[1], by: b, steps: [insert('2'), ask(third), insert('2 again')], isCaught: true }
  return { asks: asks[0], by: a, steps: [insert('1'), ask(second), insert('1 again'), ...some(outermost)], isCaught }
}

function some(step: Step | undefined): readonly Step[] {
  return step === undefined ? [] : [step]
}
