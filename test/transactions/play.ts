import { findLeaseholdError } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import type { Member, Run } from './members.js'
import type { End, Plan } from './plan.js'

const thrown = new Error('of the work')

/** Does what a plan says, with these members on this pool, and tells how all its transactions ended. */
export async function play(
  plan: Plan,
  members: readonly Member[],
  pool: LeasedPgPool,
  insert: (row: string) => string,
): Promise<readonly End[]> {
  const ends: End[] = []
  await askFor(plan).catch(() => {})
  return ends

  async function askFor(asked: Plan): Promise<void> {
    const at = ends.push('fulfilled') - 1
    try {
      await begin(asked)
    } catch (error) {
      ends[at] = endOf(error)
      throw error
    }
  }

  async function begin({ asks, by, steps }: Plan): Promise<void> {
    const member = members[by]
    if (member === undefined) throw new Error(`there is no member ${by}`)
    if (asks === 'own') await member.transaction((run) => perform(steps, run))
    else await pool.transaction(() => perform(steps, member.run), { propagation: asks })
  }

  async function perform(steps: Plan['steps'], run: Run): Promise<void> {
    for (const step of steps) {
      if (step.does === 'throw') throw thrown
      if (step.does === 'insert') await run(insert(step.row))
      else if (step.does === 'fail') await run('select 1/0').catch((error: unknown) => swallow(error, step.isSwallowed))
      else await askFor(step.plan).catch((error: unknown) => swallow(error, step.plan.isCaught))
    }
  }
}

function swallow(error: unknown, isSwallowed: boolean): void {
  if (!isSwallowed) throw error
}

function endOf(error: unknown): End {
  if (error === thrown) return 'thrown'
  const ours = findLeaseholdError(error)
  if (ours === undefined) return 'statement failed'
  if (ours.code === 'LEASEHOLD_TRANSACTION_CONFLICT') return 'conflict'
  throw error
}
