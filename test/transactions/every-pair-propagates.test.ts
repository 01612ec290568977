import { describe, it } from 'vitest'
import { MEMBERS } from './members.js'
import { ask, insert, type Plan, type Step } from './plan.js'
import { PROPAGATIONS } from './propagations.js'
import { useStage } from './use-stage.js'

const stage = useStage()

/** What goes wrong in the inner one, after its first row; and whether the outer one fails after it. */
const TROUBLES: ReadonlyArray<{
  readonly what: string
  readonly inner: readonly Step[]
  readonly outer: readonly Step[]
}> = [
  { what: 'all is committed', inner: [], outer: [] },
  { what: 'the inner one is rolled back', inner: [{ does: 'throw' }], outer: [] },
  { what: 'the outer one is rolled back', inner: [], outer: [{ does: 'throw' }] },
  { what: 'an error in the inner one is swallowed there', inner: [{ does: 'fail', isSwallowed: true }], outer: [] },
  { what: 'a statement of the inner one fails', inner: [{ does: 'fail', isSwallowed: false }], outer: [] },
]

const PAIRS = MEMBERS.flatMap((one, by) => MEMBERS.map((other, innerBy) => ({ one, by, other, innerBy })))

describe.each(PAIRS)('a transaction of $one.name with one of $other.name in it', ({ by, innerBy }) => {
  it.each(TROUBLES)('leaves what its propagation says, whichever both have: $what', async ({ inner, outer }) => {
    const plans = PROPAGATIONS.flatMap((outerAsks) =>
      PROPAGATIONS.map((asks): Plan => {
        const own = (who: number, row: string, ...more: readonly Step[]): Step =>
          ask({ asks: 'own', by: who, steps: [insert(row), ...more], isCaught: true })
        const steps = [insert('b'), own(innerBy, 'c'), own(innerBy, 'never', { does: 'throw' }), ...inner]
        const nested: Plan = { asks, by: innerBy, steps, isCaught: true }
        const outermost = [insert('a'), ask(nested), own(by, 'd'), insert('e'), ...outer]
        return { asks: outerAsks, by, steps: outermost, isCaught: true }
      }),
    )
    await stage.expectFates(plans)
  })
})
