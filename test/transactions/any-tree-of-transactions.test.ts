import { SEED } from '@leasehold/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MEMBERS, type Run } from './members.js'
import { useStage } from './use-stage.js'

const stage = useStage({ max: 60 })

/** A transaction that is begun inside another one, or beside others. */
interface Branch {
  readonly asks: 'required' | 'nested' | 'requires-new' | 'own'
  readonly by: number
  /** Statements of its own come before, between and after its branches; those of one list run side by side. */
  readonly steps: ReadonlyArray<'insert' | readonly Branch[]>
  readonly throws: boolean
  /** Whether who begins it goes on when it fails, and whether it is waited for when one beside it has failed. */
  readonly isCaught: boolean
  readonly isAwaited: boolean
}

const { tree } = fc.letrec<{ tree: Branch; steps: Branch['steps'] }>((tie) => ({
  tree: fc.record({
    asks: fc.constantFrom('required', 'nested', 'nested', 'requires-new', 'own', 'own', 'own'),
    by: fc.nat(MEMBERS.length - 1),
    steps: tie('steps'),
    throws: fc.nat(3).map((one) => one === 0),
    isCaught: fc.boolean(),
    isAwaited: fc.boolean(),
  }),
  steps: fc.array(
    fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constant('insert' as const),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
    { maxLength: 4 },
  ),
}))

/** A transaction as it was told to who had begun it. */
interface Told {
  /** Undefined for one that nothing lies around. */
  readonly around: Told | undefined
  readonly rows: string[]
  isFulfilled: boolean
}

const thrown = new Error('of the work')

/** Plays a tree, and resolves when all that was begun in it has ended. */
async function play(root: Branch, plan: number): Promise<{ readonly tolds: readonly Told[]; readonly error: unknown }> {
  const tolds: Told[] = []
  const begun: Array<Promise<unknown>> = []
  let made = 0

  async function begin(branch: Branch, around: Told | undefined): Promise<void> {
    const { asks, by, steps, throws } = branch
    const told: Told = { around: asks === 'requires-new' ? undefined : around, rows: [], isFulfilled: false }
    tolds.push(told)
    const member = stage.member(by)
    const work = async (run: Run): Promise<void> => {
      for (const step of steps) await (step === 'insert' ? insert(run, told) : beside(step, told))
      if (throws) throw thrown
    }
    if (asks === 'own') await member.transaction(work)
    else await stage.pool.transaction(() => work(member.run), { propagation: asks })
    told.isFulfilled = true
  }

  async function insert(run: Run, { rows }: Told): Promise<void> {
    made += 1
    const row = `row ${made}`
    await run(`insert into rows values (${plan}, '${row}')`)
    rows.push(row)
  }

  async function beside(branches: readonly Branch[], around: Told): Promise<void> {
    const all = branches.map((branch) => {
      const whole = begin(branch, around)
      begun.push(whole.catch(() => {}))
      return { branch, ended: branch.isCaught ? whole.catch(() => {}) : whole }
    })
    // Some are given up as soon as one beside them has failed, and go on by themselves.
    await Promise.allSettled(all.filter(({ branch }) => branch.isAwaited).map(({ ended }) => ended))
    await Promise.all(all.map(({ ended }) => ended))
  }

  const error: unknown = await begin({ ...root, asks: 'required' }, undefined).catch((reason: unknown) => reason)
  for (let at = 0; at < begun.length; at += 1) await begun[at]
  return { tolds, error }
}

/** A row is there if who wrote it was told that it is done, and so was everyone around it. */
function isKept(told: Told | undefined): boolean {
  return told === undefined || (told.isFulfilled && isKept(told.around))
}

test('however transactions lie in and beside each other, what they were told is so, and all of them end', async () => {
  let plan = 0
  let fulfilled = 0
  const run = async (root: Branch): Promise<void> => {
    plan += 1
    const { tolds, error } = await play(root, plan)
    if (error === undefined) fulfilled += 1
    const { rows } = await stage.outside.query<{ name: string }>('select name from rows where plan = $1', [plan])
    const there = rows.map(({ name }) => name)
    const kept = tolds.filter(isKept).flatMap((told) => told.rows)
    expect(there.toSorted()).toEqual(kept.toSorted())
    expect(stage.pool.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
  }
  await fc.assert(fc.asyncProperty(tree, run), { ...SEED, numRuns: 400 })
  // Otherwise nothing was shown.
  expect(fulfilled).toBeGreaterThan(50)
}, 60_000)
