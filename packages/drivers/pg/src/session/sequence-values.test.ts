import { expect, test } from 'vitest'
import { readStatement } from '../sql/read-statement.js'
import { SequenceValues } from './sequence-values.js'

const [one, other] = [{}, {}]

function values(...sent: ReadonlyArray<readonly [object, string]>): readonly boolean[] {
  const sequences = new SequenceValues()
  return sent.map(([owner, text]) => sequences.mustClearBefore(readStatement(text), owner))
}

test.each([
  ['nobody has drawn', [[one, 'select lastval()']], [false]],
  [
    'one has drawn them itself',
    [
      [one, `select nextval('s')`],
      [one, `select currval('s')`],
    ],
    [false, false],
  ],
  [
    'an INSERT of its own may have drawn',
    [
      [one, 'insert into t default values'],
      [one, 'select lastval()'],
    ],
    [false, false],
  ],
  [
    'another has drawn',
    [
      [one, `select nextval('s')`],
      [other, 'select lastval()'],
    ],
    [false, true],
  ],
  [
    'another has drawn, once',
    [
      [one, `select nextval('s')`],
      [other, 'select lastval()'],
      [other, 'select lastval()'],
    ],
    [false, true, false],
  ],
  [
    'another has drawn and one oneself since',
    [
      [one, `select nextval('s')`],
      [other, `select setval('s', 1)`],
      [other, 'select lastval()'],
    ],
    [false, false, false],
  ],
  [
    'one text draws and reads',
    [
      [one, `select nextval('s')`],
      [other, `insert into t values (1); select lastval()`],
    ],
    [false, false],
  ],
  [
    'a trigger or a rule of another’s UPDATE may have drawn',
    [
      [one, 'update t set a = 1'],
      [other, 'select lastval()'],
      [other, 'select lastval()'],
    ],
    [false, true, false],
  ],
  [
    'another’s UPDATE may have drawn, and so may one’s own since',
    [
      [one, 'delete from t'],
      [other, 'update t set a = 1'],
      [other, 'select lastval()'],
    ],
    [false, false, false],
  ],
  [
    'another has only looked at a table',
    [
      [one, 'select * from t'],
      [other, 'select lastval()'],
    ],
    [false, false],
  ],
  [
    'one has used tables oneself and nobody else has',
    [
      [one, 'update t set a = 1'],
      [one, 'select lastval()'],
    ],
    [false, false],
  ],
  [
    'another has used a table, and one has drawn oneself since',
    [
      [one, 'update t set a = 1'],
      [other, 'insert into t values (1)'],
      [other, 'select lastval()'],
    ],
    [false, false, false],
  ],
  [
    'nothing is read',
    [
      [one, `select nextval('s')`],
      [other, 'select 1'],
    ],
    [false, false],
  ],
] as const)('values are another owner’s to clear or not, when %s', (_, sent, expected) => {
  expect(values(...sent)).toEqual(expected)
})
