import type { Propagation } from '@leasehold/core'
import type { End, Fate, Plan } from './plan.js'

type Course = 'begin' | 'join' | 'savepoint' | 'without' | 'refuse'

/** Spring's table: outside of any transaction, and inside one. What an ORM begins by itself is a savepoint there. */
const COURSES: Readonly<Record<Propagation | 'own', readonly [alone: Course, inside: Course]>> = {
  required: ['begin', 'join'],
  'requires-new': ['begin', 'begin'],
  nested: ['begin', 'savepoint'],
  supports: ['without', 'join'],
  'not-supported': ['without', 'without'],
  mandatory: ['refuse', 'join'],
  never: ['without', 'refuse'],
  own: ['begin', 'savepoint'],
}

/** A transaction or a savepoint: what stands or falls together. */
interface Unit {
  readonly rows: string[]
  /** The server takes no more statements in it. */
  hasFailed: boolean
  /** A part of it was to be undone, which could only be done with all of it. */
  isDoomed: boolean
}

/** What a plan must come to: the model against which the real thing is held. */
export function foretell(plan: Plan): Fate {
  const kept: string[] = []
  const ends: End[] = []
  askFor(plan, undefined)
  return { rows: kept.toSorted(), ends }

  function askFor(asked: Plan, around: Unit | undefined): End {
    const at = ends.push('fulfilled') - 1
    return (ends[at] = follow(asked, around))
  }

  function follow(asked: Plan, around: Unit | undefined): End {
    const [alone, inside] = COURSES[asked.asks]
    const course = around === undefined ? alone : inside
    if (course === 'refuse') return 'conflict'
    if (course === 'without') return perform(asked, undefined)
    if (course === 'join' && around !== undefined) return join(asked, around)
    if (course === 'savepoint' && around?.hasFailed === true) return 'statement failed'
    const unit: Unit = { rows: [], hasFailed: false, isDoomed: false }
    const end = perform(asked, unit)
    if (end !== 'fulfilled') return end
    // An ORM takes the server's answer to its COMMIT for a success, though it was a rollback.
    if (unit.hasFailed || unit.isDoomed) return asked.asks === 'own' ? 'fulfilled' : 'conflict'
    const into = course === 'savepoint' ? around : undefined
    ;(into?.rows ?? kept).push(...unit.rows)
    return 'fulfilled'
  }

  function join(asked: Plan, around: Unit): End {
    const end = perform(asked, around)
    if (end !== 'fulfilled') around.isDoomed = true
    else if (around.isDoomed) return 'conflict'
    return end
  }

  function perform({ steps }: Plan, unit: Unit | undefined): End {
    for (const step of steps) {
      if (step.does === 'throw') return 'thrown'
      if (step.does === 'insert') {
        if (unit?.hasFailed === true) return 'statement failed'
        ;(unit?.rows ?? kept).push(step.row)
      } else if (step.does === 'fail') {
        if (unit !== undefined) unit.hasFailed = true
        if (!step.isSwallowed) return 'statement failed'
      } else {
        const end = askFor(step.plan, unit)
        if (end !== 'fulfilled' && !step.plan.isCaught) return end
      }
    }
    return 'fulfilled'
  }
}
