import type { Propagation } from '../options/transaction-options.js'

/** What is done about a transaction that is asked for. */
export type Course = 'begin' | 'join' | 'savepoint' | 'without' | 'refuse'

const COURSES: Readonly<Record<Propagation, { readonly alone: Course; readonly inside: Course }>> = {
  required: { alone: 'begin', inside: 'join' },
  'requires-new': { alone: 'begin', inside: 'begin' },
  nested: { alone: 'begin', inside: 'savepoint' },
  supports: { alone: 'without', inside: 'join' },
  'not-supported': { alone: 'without', inside: 'without' },
  mandatory: { alone: 'refuse', inside: 'join' },
  never: { alone: 'without', inside: 'refuse' },
}

/** @param isInside whether there is a transaction around. */
export function courseOf(propagation: Propagation, isInside: boolean): Course {
  const { alone, inside } = COURSES[propagation]
  return isInside ? inside : alone
}

/** The same, where all must stay inside a transaction that is rolled back as a test: there is no other connection. */
export function courseInTest(course: Course): Course {
  if (course === 'begin') return 'savepoint'
  return course === 'without' ? 'join' : course
}
