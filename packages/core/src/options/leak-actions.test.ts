import { describe, expect, it } from 'vitest'
import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { checkPoolOptions } from './check-pool-options.js'

const CLOCK = { now: () => 0, wake: () => () => {} }

function leaksOf(leaks: unknown): unknown {
  return checkPoolOptions({ leaks }, 'fake', { clock: CLOCK }).leaks
}

function faultsOf(options: object): InvalidOptionsError['faults'] {
  try {
    checkPoolOptions(options, 'fake', { clock: CLOCK })
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults
    throw error
  }
  return []
}

describe('what becomes of leaks', () => {
  it('is chosen kind by kind, and what is not named stays as it is by default', () => {
    expect(leaksOf({ overdue: 'reclaim', forgotten: 'off', leftOver: undefined })).toEqual({
      overdue: 'reclaim',
      leftOver: 'reclaim',
      forgotten: 'off',
      idleInTransaction: 'report',
    })
  })

  it('can be nothing at all', () => {
    expect(leaksOf('off')).toEqual({ overdue: 'off', leftOver: 'off', forgotten: 'off', idleInTransaction: 'off' })
  })

  it('cannot be changed afterwards', () => {
    expect([Object.isFrozen(leaksOf({})), Object.isFrozen(leaksOf('off'))]).toEqual([true, true])
  })

  it('is refused by the name of each kind that is wrong, together with all else that is', () => {
    const faults = faultsOf({ leaks: { overdue: 'kill', forgoten: 'report' }, max: 0 })

    expect(faults).toEqual([
      { option: 'max', expected: 'a whole number from 1 on', received: '0' },
      { option: 'leaks.overdue', expected: "'report' or 'reclaim' or 'off'", received: "'kill'" },
      { option: 'leaks.forgoten', expected: 'no option of this name (did you mean forgotten?)', received: 'a text' },
    ])
  })
})
