import { describe, expect, it } from 'vitest'
import { LateEffects } from './late-effects.js'

function noted(): LateEffects<string> {
  const late = new LateEffects<string>()
  late.note('setting', 'at-fetch', 'of a cursor')
  late.note('setting', 'at-end', 'of a trigger')
  late.note('advisory-lock', 'at-end', 'a lock')
  return late
}

describe('what a transaction may do later', () => {
  it('need not be booked again as long as nothing was undone', () => {
    expect([noted().due('at-fetch'), noted().due('at-end')]).toEqual([[], []])
  })

  it('comes after what undid its kind: at a fetch all of it, at the end what no fetch is needed for', () => {
    const late = noted()
    late.cleared('setting')
    expect(late.due('at-fetch')).toEqual(['of a cursor', 'of a trigger'])
    expect(late.due('at-end')).toEqual(['of a trigger'])
  })

  it('is over with the transaction', () => {
    const late = noted()
    late.cleared('setting')
    late.forget()
    expect([late.mayCome, late.due('at-end')]).toEqual([false, []])
  })

  it('is not what was undone before it', () => {
    const late = new LateEffects<string>()
    late.cleared('setting')
    late.note('setting', 'at-end', 'of a trigger')
    expect(late.due('at-end')).toEqual([])
  })
})
