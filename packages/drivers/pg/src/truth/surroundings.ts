import type { Sequence } from './failures-of.js'
import type { BoundStatement, Step } from './step.js'

export type Statement = string | BoundStatement

/** Fails at COMMIT, and not before. */
const FAILS_LATE = 'insert into checked_late values (1), (1)'
const FAILS = 'select 1/0'

/** What may stand around a statement, whether it is sent simply or with bound values. */
const AROUND_ANY: Readonly<Record<string, (statement: Statement) => readonly Step[]>> = {
  alone: (statement) => [statement],
  twice: (statement) => [statement, statement],
  'after an error': (statement) => [FAILS, statement],
  'before an error': (statement) => [statement, FAILS],
  'in a transaction': (statement) => ['begin', statement, 'commit'],
  'in a transaction that ends': (statement) => ['start transaction', statement, 'end'],
  'in a transaction rolled back': (statement) => ['begin', statement, 'rollback'],
  'in an aborted transaction': (statement) => ['begin work', statement, 'abort'],
  'in a failed transaction rolled back': (statement) => ['begin', statement, FAILS, 'rollback'],
  'in a failed transaction committed': (statement) => ['begin', statement, FAILS, 'commit'],
  'in a transaction that fails at commit': (statement) => ['begin', statement, FAILS_LATE, 'commit'],
  'refused by a failed transaction': (statement) => ['begin', FAILS, statement, 'commit'],
  'before a transaction rolled back': (statement) => [statement, 'begin', 'select 1', 'rollback'],
  'before and in a transaction rolled back': (statement) => [statement, 'begin', statement, 'rollback'],
  'committed and chained': (statement) => ['begin', statement, 'commit and chain', 'select 1', 'rollback'],
  'rolled back and chained': (statement) => ['begin', statement, 'rollback and chain', 'select 1', 'commit'],
  'in both links of a chain': (statement) => ['begin', statement, 'commit and chain', statement, 'rollback'],
  'in a savepoint': (statement) => ['begin', 'savepoint a', statement, 'release a', 'commit'],
  'in a savepoint rolled back': (statement) => ['begin', 'savepoint a', statement, 'rollback to a', 'commit'],
  'in a failed savepoint': (statement) => [
    'begin',
    'savepoint a',
    statement,
    FAILS,
    'rollback to savepoint a',
    'commit',
  ],
  'in a savepoint of a transaction rolled back': (statement) => [
    'begin',
    'savepoint a',
    statement,
    'release savepoint a',
    'rollback',
  ],
  'before a savepoint rolled back': (statement) => [
    'begin',
    statement,
    'savepoint a',
    FAILS,
    'rollback to a',
    'commit',
  ],
  'in a savepoint within a savepoint rolled back': (statement) => [
    'begin',
    'savepoint a',
    'savepoint b',
    statement,
    'release b',
    'rollback work to a',
    'commit',
  ],
  'in the second savepoint of a name': (statement) => [
    'begin',
    'savepoint a',
    'select 1',
    'savepoint a',
    statement,
    'rollback to a',
    'release a',
    'commit',
  ],
  'in the first savepoint of a name': (statement) => [
    'begin',
    'savepoint a',
    statement,
    'savepoint a',
    'select 1',
    'rollback to a',
    'release a',
    'rollback to a',
    'commit',
  ],
  'after a rollback to a savepoint': (statement) => [
    'begin',
    'savepoint a',
    FAILS,
    'rollback to a',
    statement,
    'commit',
  ],
  'in a transaction prepared': (statement) => [
    'begin',
    statement,
    `prepare transaction 'kept'`,
    `rollback prepared 'kept'`,
  ],
  'under one Sync': (statement) => [{ batch: [bound(statement), { text: 'select 1' }] }],
  'under one Sync that fails': (statement) => [{ batch: [bound(statement), { text: FAILS }] }],
  'under one Sync, after what fails': (statement) => [{ batch: [{ text: FAILS }, bound(statement)] }],
  'under one Sync with its transaction': (statement) => [
    { batch: [{ text: 'begin' }, bound(statement), { text: 'commit' }, { text: FAILS }] },
  ],
  'under one Sync with its transaction rolled back': (statement) => [
    { batch: [{ text: 'begin' }, bound(statement), { text: 'rollback' }] },
  ],
}

/** What may stand around a statement without bound values. */
const AROUND_SIMPLE: Readonly<Record<string, (text: string) => readonly Step[]>> = {
  'by the extended protocol': (text) => [{ text, values: [] }],
  'by a named statement': (text) => [
    { text, values: [], name: 'named' },
    { text, values: [], name: 'named' },
  ],
  'in a text with others': (text) => [`select 1; ${text}; select 2`],
  'in a text that ends in semicolons': (text) => [`;; ${text};;; `],
  'in a text that fails': (text) => [`${text}; ${FAILS}`],
  'in a text, after what fails': (text) => [`${FAILS}; ${text}`],
  'in a text with its transaction': (text) => [`begin; ${text}; commit`],
  'in a text with its transaction rolled back': (text) => [`begin; ${text}; rollback`],
  'in a text whose transaction fails': (text) => [`begin; ${text}; ${FAILS}; commit`, 'rollback'],
  'in a text that commits and then fails': (text) => [`begin; ${text}; commit; ${FAILS}`],
  'in a text that commits what was begun before': (text) => ['begin', `${text}; commit; select 1`],
  'in a text that begins what is ended after': (text) => [`select 1; begin; ${text}`, 'rollback'],
  'in a text with a commit of nothing': (text) => [`${text}; commit; ${FAILS}`],
  'in a text with a rollback of nothing': (text) => [`${text}; rollback; select 1`],
  'in a text with savepoints': (text) => [`begin; savepoint a; ${text}; rollback to a; commit`],
  'in a text that no parser accepts': (text) => [`${text}; selekt 1`],
}

/** The statement in every surrounding that it can stand in. */
function inAllSurroundings(statement: Statement): readonly Sequence[] {
  const named = (around: string, steps: readonly Step[]): Sequence => ({
    name: `${around}: ${textOf(statement)}`,
    steps,
  })
  const sequences = Object.entries(AROUND_ANY).map(([around, make]) => named(around, make(statement)))
  if (typeof statement !== 'string') return sequences
  return [...sequences, ...Object.entries(AROUND_SIMPLE).map(([around, make]) => named(around, make(statement)))]
}

/** Each statement by itself and in one of `share` surroundings, in other ones each time. */
export function inSurroundings(statements: readonly Statement[], share: number): readonly Sequence[] {
  return statements.flatMap((statement, nth) =>
    inAllSurroundings(statement).filter((_, at) => at === 0 || (at + nth) % share === 0),
  )
}

function bound(statement: Statement): BoundStatement {
  return typeof statement === 'string' ? { text: statement } : statement
}

/** For messages. */
export function textOf(statement: Statement): string {
  return typeof statement === 'string' ? statement : `${statement.text} [${statement.values?.join(', ') ?? ''}]`
}
