import { FakeClock } from '@leasehold/testkit'
import { expect, test } from 'vitest'
import { Agenda } from './agenda.js'
import { WakeUp } from './wake-up.js'

test('what puts itself on the agenda again for a moment that has passed keeps nothing else from being done', () => {
  const agenda = new Agenda(
    new WakeUp(
      new FakeClock(),
      (work) => work(),
      () => Number.POSITIVE_INFINITY,
    ),
  )
  let calls = 0
  const again = (): void => {
    calls += 1
    if (calls < 10) agenda.at(5, again)
  }
  agenda.at(10, again)

  const next = agenda.run(10)

  expect({ calls, next }).toEqual({ calls: 1, next: 5 })
})
