import { expect, test } from 'vitest'
import { Journal } from './journal.js'
import { judgeWrittenRows } from './written-rows.js'

test('a row that was acknowledged and is missing is lost; one that is there twice was run twice; others are nobody’s', async () => {
  const journal = new Journal()
  for (const isAcknowledged of [true, true, false, false]) {
    await journal.note('one', () => (isAcknowledged ? Promise.resolve() : Promise.reject(new Error('refused'))))
  }
  const stored = [
    { id: 2, times: 1 },
    { id: 3, times: 2 },
    { id: 7, times: 1 },
  ]
  expect(await judgeWrittenRows(async () => stored as never, journal)).toEqual({ lost: [1], twice: [3], unasked: [7] })
})
