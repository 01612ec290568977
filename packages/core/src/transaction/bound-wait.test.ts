import { expect, test } from 'vitest'
import type { Lending } from '../lease/lending.js'
import { boundWait } from './bound-wait.js'

test('whoever waits past the deadline looks no more: a look at a moment that has passed would come at once, for ever', () => {
  const looks: { readonly at: number; readonly callback: () => void }[] = []
  const refused: Error[] = []
  const times = { now: 0, waitsUntil: 100 }
  boundWait(
    {
      base: {} as Lending<unknown>,
      desk: {
        now: () => times.now,
        wake(at, callback) {
          looks.push({ at, callback })
          return () => {}
        },
        isBusy: () => true,
        tooLate: () => new Error('too late'),
      },
      waitsUntil: () => times.waitsUntil,
    },
    'a part',
    () => undefined,
    (error) => refused.push(error),
  )
  times.now = 100
  times.waitsUntil = 150
  looks[0]?.callback()
  times.now = 150
  looks[1]?.callback()

  expect(looks.map(({ at }) => at)).toEqual([100, 150])
  expect(refused).toEqual([])
})
