import { FakeClock, watched } from '@leasehold/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Turns, type TurnTaker } from './turns.js'

interface Named extends TurnTaker {
  readonly name: string
}

/** Longer than anybody's patience with one that has the turn and does nothing. */
const A_MOMENT_MS = 100

class Stage {
  readonly clock = new FakeClock()
  /** What went ahead, in order; `!name` for what was refused. */
  readonly done: string[] = []
  isBusy = false
  readonly turns = new Turns({
    now: () => this.clock.now(),
    wake: (at, callback) => this.clock.wake(at, callback),
    isBusy: () => this.isBusy,
    tooLate: (taker, holder, waitedMs) =>
      new Error(`${(taker as Named).name} waited ${waitedMs} ms for ${(holder as Named).name}`),
  })
  readonly refusals: string[] = []

  begin(taker: Named, withinMs = 5_000): void {
    this.#take(taker, taker.name, true, withinMs)
  }

  send(taker: Named, what: string, withinMs = 5_000): void {
    this.#take(taker, what, false, withinMs)
  }

  #take(taker: Named, what: string, begins: boolean, withinMs: number): void {
    const isFree = this.turns.take({
      taker,
      begins,
      asker: taker,
      deadlineAt: this.clock.now() + withinMs,
      start: () => this.done.push(what),
      refuse: (error) => this.refusals.push(error.message),
    })
    if (isFree) this.done.push(what)
  }
}

function taker(name: string, parent?: Named): Named {
  return { name, parent }
}

function family(): { outer: Named; one: Named; other: Named; child: Named } {
  const outer = taker('outer')
  const one = taker('one', outer)
  return { outer, one, other: taker('other', outer), child: taker('child of one', one) }
}

describe('turns in a transaction', () => {
  it('are for whoever lies within the one that has begun last; the others wait in order', () => {
    const stage = new Stage()
    const { outer, one, other, child } = family()
    stage.begin(one)
    stage.send(outer, 'statement of outer')
    stage.begin(other)
    stage.send(outer, 'next of outer')
    stage.send(one, 'statement of one')
    stage.begin(child)
    stage.send(child, 'statement of child')
    stage.send(one, 'waits for child')
    expect(stage.done).toEqual(['one', 'statement of one', 'child of one', 'statement of child'])
    stage.turns.leave(child)
    expect(stage.done.slice(4)).toEqual(['waits for child'])
    stage.turns.leave(one)
    // A statement of the outer one after the other has begun would lie in that one.
    expect(stage.done.slice(5)).toEqual(['statement of outer', 'other'])
    stage.turns.leave(other)
    expect(stage.done.slice(7)).toEqual(['next of outer'])
  })

  it('are kept from the moment they are given, before anything was sent', () => {
    const stage = new Stage()
    const { one, other, outer } = family()
    stage.begin(one)
    stage.begin(other)
    stage.begin(taker('third', outer))
    stage.turns.leave(one)
    expect(stage.done).toEqual(['one', 'other'])
  })

  it('go to the first that waits when nothing has come of who has them for a moment, and these two wait no more', async () => {
    const stage = new Stage()
    const { outer, one, other, child } = family()
    stage.begin(one)
    stage.begin(other)
    stage.send(outer, 'statement of outer')
    await stage.clock.advanceAsync(A_MOMENT_MS)
    expect(stage.done.slice(0, 2)).toEqual(['one', 'other'])
    stage.send(one, 'of one, beside other')
    stage.send(other, 'of other, beside one')
    stage.begin(child)
    stage.send(other, 'of other, beside the child of one')
    expect(stage.done).toEqual(
      expect.arrayContaining(['of one, beside other', 'of other, beside one', 'of other, beside the child of one']),
    )
  })

  it('do not go to another sibling, because the parent had to be let in once', async () => {
    const stage = new Stage()
    const { outer, one, other } = family()
    stage.begin(one)
    stage.send(outer, 'let in')
    await stage.clock.advanceAsync(A_MOMENT_MS)
    stage.send(outer, 'need not wait again')
    stage.begin(other)
    expect(stage.done).toEqual(['one', 'let in', 'need not wait again'])
  })

  it('stay with one that goes on, however long that takes: as long as something is sent, or runs', async () => {
    const stage = new Stage()
    const { one, other } = family()
    stage.begin(one)
    stage.begin(other, 60_000)
    for (let n = 0; n < 20; n += 1) {
      await stage.clock.advanceAsync(40)
      stage.send(one, `${n}`)
    }
    stage.isBusy = true
    await stage.clock.advanceAsync(3_000)
    expect(stage.done).not.toContain('other')
    stage.isBusy = false
    await stage.clock.advanceAsync(A_MOMENT_MS)
    expect(stage.done).toContain('other')
  })

  it('are waited for until a deadline, and then the error names who has them', async () => {
    const stage = new Stage()
    const { one, other } = family()
    stage.begin(one)
    stage.isBusy = true
    stage.begin(other, 1_000)
    await stage.clock.advanceAsync(999)
    expect(stage.refusals).toEqual([])
    await stage.clock.advanceAsync(1)
    expect(stage.refusals).toEqual(['other waited 1000 ms for one'])
    stage.turns.leave(one)
    expect(stage.done).toEqual(['one'])
    expect(stage.clock.keepsAlive).toBe(false)
  })

  it('are withdrawn for whoever wants them no more', async () => {
    const stage = new Stage()
    const { one, other } = family()
    stage.begin(one)
    stage.begin(other)
    stage.turns.withdraw(other, () => new Error('it has ended'))
    expect(stage.refusals).toEqual(['it has ended'])
    await stage.clock.advanceAsync(10_000)
    stage.turns.leave(one)
    expect(stage.done).toEqual(['one'])
  })
})

/** A transaction with statements and transactions in it, some of which wait for others by ways nobody can see. */
interface Tree {
  readonly parts: readonly Part[]
}
type Part =
  | { readonly is: 'statement' }
  | { readonly is: 'inner'; readonly tree: Tree }
  | { readonly is: 'await'; readonly pick: number }

const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; part: Part }>((tie) => ({
  tree: fc.record({ parts: fc.array(tie('part'), { maxLength: 4 }) }),
  part: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constant<Part>({ is: 'statement' }),
    fc.record({ is: fc.constant('await' as const), pick: fc.nat() }),
    fc.record({ is: fc.constant('inner' as const), tree: tie('tree') }),
  ),
})).tree

describe('random trees of transactions side by side, that also await each other', () => {
  it('all come to their end, and without awaits nobody works in what is not around it', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.boolean(), async (root, awaits) => {
        const stage = new Stage()
        const begun: Named[] = []
        const statements: Array<Promise<void>> = []
        let intrusions = 0
        let count = 0

        const turn = (who: Named, begins: boolean): Promise<void> =>
          new Promise((resolve, reject) => {
            const deadlineAt = stage.clock.now() + 1_000_000
            const start = (): void => {
              if (begun.some((each) => !isAround(each, who))) intrusions += 1
              if (begins) begun.push(who)
              resolve()
            }
            const request = { taker: who, begins, asker: who, deadlineAt, start, refuse: reject }
            if (stage.turns.take(request)) start()
          })
        const run = async (who: Named, { parts }: Tree): Promise<void> => {
          const own: Array<Promise<void>> = []
          for (const part of parts) {
            if (part.is === 'inner') own.push(inner(taker(`${(count += 1)}`, who), part.tree))
            else if (part.is === 'statement') {
              const statement = turn(who, false)
              own.push(statement)
              statements.push(statement)
            } else if (awaits) {
              // A statement of anybody, or what it has begun itself.
              const any = [...statements, ...own]
              await any[part.pick % any.length]
            }
          }
          await Promise.all(own)
        }
        const inner = async (who: Named, its: Tree): Promise<void> => {
          await turn(who, true)
          await run(who, its)
          begun.splice(begun.indexOf(who), 1)
          stage.turns.leave(who)
        }

        const whole = watched(run(taker('outer'), root))
        // Each wait for one that waits for itself takes a moment.
        for (let n = 0; n < 500 && whole.outcome === 'pending'; n += 1) await stage.clock.advanceAsync(A_MOMENT_MS)
        expect(whole.outcome).toBe('fulfilled')
        if (!awaits) expect(intrusions).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})

function isAround(around: TurnTaker, who: TurnTaker): boolean {
  return around === who || (who.parent !== undefined && isAround(around, who.parent))
}
