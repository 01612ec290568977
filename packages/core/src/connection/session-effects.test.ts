import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import type { EffectOrigin, SessionEffect } from '../ports/session-effect.js'
import { SessionEffects } from './session-effects.js'

const origin: EffectOrigin = { statement: undefined, site: undefined, isRepeatable: true, isOfBaseline: false }

/** A session whose effects are booked in few words. */
function session(): {
  readonly effects: SessionEffects
  book(...bookings: readonly string[]): ReturnType<typeof session>
  readonly pins: readonly string[]
} {
  const effects = new SessionEffects()
  return {
    effects,
    /** `set role`, `clear role`, `rename role`, `lock 1`, `unlock 1`, `savepoint a`, `release a`, `back to a`, `commit`, `rollback`. */
    book(...bookings) {
      for (const booking of bookings) book(effects, booking)
      return this
    },
    get pins() {
      return [...effects.pins].map(({ kind, name, change, times }) =>
        [change === 'cleared' ? 'no' : '', kind, name ?? '?', times === 1 ? '' : `×${times}`].filter(Boolean).join(' '),
      )
    },
  }
}

function book(effects: SessionEffects, words: string, of: EffectOrigin = origin): void {
  const [verb = '', name = ''] = words.split(/ (?:to )?/)
  const lock = { kind: 'advisory-lock', name, isTransactional: false } as const
  const setting: Omit<SessionEffect, 'does'> = {
    kind: 'setting',
    name: name === '*' ? undefined : name,
    isTransactional: true,
  }
  switch (verb) {
    case 'set':
    case 'clear':
    case 'touch':
    case 'rename':
      effects.book({ is: 'effect', effect: { does: verb, ...setting }, origin: of }, 1)
      break
    case 'lock':
      effects.book({ is: 'effect', effect: { does: 'set', ...lock }, origin: of }, 1)
      break
    case 'unlock':
      effects.book({ is: 'effect', effect: { does: 'clear', ...lock }, origin: of }, 1)
      break
    case 'savepoint':
      effects.book({ is: 'savepoint', name }, 1)
      break
    case 'release':
      effects.book({ is: 'release-savepoint', name }, 1)
      break
    case 'back':
      effects.book({ is: 'rollback-to-savepoint', name }, 1)
      break
    case 'commit':
    case 'rollback':
      effects.book({ is: verb }, 1)
      break
    default:
      throw new Error(words)
  }
}

describe('what gets another name', () => {
  it('is not cleared by its old one, which may be something else’s by then', () => {
    expect(session().book('set a', 'rename a', 'set a', 'clear a').pins).toEqual(['setting ?'])
  })

  it('has its old one again when that is rolled back', () => {
    expect(session().book('set a', 'commit', 'rename a', 'rollback').pins).toEqual(['setting a'])
    expect(session().book('set a', 'commit', 'rename a', 'rollback', 'clear a').pins).toEqual([])
  })

  it('is none of the session’s, unless it was made there', () => {
    expect(session().book('set a', 'rename b').pins).toEqual(['setting a'])
  })
})

describe('what is in force on a session', () => {
  it('is what was set and not cleared, each once', () => {
    expect(session().book('set a', 'set b', 'set a', 'clear b').pins).toEqual(['setting a'])
  })

  it('loses what was set when the transaction is rolled back, and regains what was cleared', () => {
    expect(session().book('set a', 'commit', 'clear a', 'set b', 'rollback').pins).toEqual(['setting a'])
  })

  it('keeps what was set when the transaction is committed, though a later one is rolled back', () => {
    expect(session().book('set a', 'commit', 'set b', 'rollback').pins).toEqual(['setting a'])
  })

  it('goes back to a savepoint, which stays and can be gone back to again', () => {
    const at = session().book('set a', 'savepoint s', 'set b', 'back to s')
    expect(at.pins).toEqual(['setting a'])
    expect(at.book('set c', 'back to s', 'commit').pins).toEqual(['setting a'])
  })

  it('goes back to the latest of savepoints of one name', () => {
    expect(session().book('savepoint s', 'set a', 'savepoint s', 'set b', 'back to s').pins).toEqual(['setting a'])
    expect(session().book('savepoint s', 'set a', 'savepoint s', 'set b', 'release s', 'back to s').pins).toEqual([])
  })

  it('keeps what was done since a released savepoint for the outer one to undo', () => {
    expect(session().book('savepoint s', 'set a', 'savepoint t', 'set b', 'release t', 'back to s').pins).toEqual([])
    expect(session().book('savepoint t', 'set b', 'release t', 'commit').pins).toEqual(['setting b'])
  })

  it('is unknown after going back to a savepoint that nobody saw being set', () => {
    expect(session().book('set a', 'back to nowhere').pins).toEqual(['setting a', 'unknown a rollback'])
  })

  it('counts how often a lock was taken, and keeps it through a rollback', () => {
    const locked = session().book('lock 1', 'lock 1', 'rollback', 'unlock 1')
    expect(locked.pins).toEqual(['advisory-lock 1'])
    expect(locked.book('unlock 1', 'unlock 1').pins).toEqual([])
  })

  it('ends with a clear of the whole kind, whatever the names', () => {
    expect(session().book('set a', 'set *', 'lock 1', 'clear *').pins).toEqual(['advisory-lock 1'])
  })
})

describe('a baseline', () => {
  it('is no pin', () => {
    const { effects, ...rest } = session().book('set a', 'lock 7')
    effects.settleBaseline()
    expect([rest.pins.length, [...effects.baseline].length, effects.size]).toEqual([2, 2, 0])
  })

  it('pins when a part of it is set anew or gone, until it is restored', () => {
    const at = session().book('set a', 'set b')
    at.effects.settleBaseline()
    expect(at.book('set a', 'clear b', 'clear c').pins).toEqual(['setting a', 'no setting b'])
    at.effects.restored()
    expect(at.effects.size).toBe(0)
  })

  it('pins whole when everything is cleared, and not when that is rolled back', () => {
    const at = session().book('set a', 'set b', 'commit')
    at.effects.settleBaseline()
    expect(at.book('clear *').pins).toEqual(['no setting a', 'no setting b'])
    expect(at.book('rollback').pins).toEqual([])
  })

  it('counts as gone once it was touched, which nothing else does', () => {
    const at = session().book('set a', 'set b')
    at.effects.settleBaseline()
    expect(at.book('set c', 'commit', 'touch a', 'touch c', 'touch d').pins).toEqual(['setting c', 'no setting a'])
    expect(at.book('touch *').pins).toEqual(['setting c', 'no setting a', 'no setting b'])
    expect(at.book('rollback').pins).toEqual(['setting c'])
  })

  it('grows by what hooks do later', () => {
    const at = session()
    at.effects.settleBaseline()
    book(at.effects, 'set a', { ...origin, isOfBaseline: true })
    expect([at.effects.size, [...at.effects.baseline].length]).toEqual([0, 1])
    expect(at.book('clear a').pins).toEqual(['no setting a'])
  })
})

it('what was done in a transaction is gone after its rollback, whatever was done before and within', () => {
  const words = fc.constantFrom(
    'set a',
    'set b',
    'clear a',
    'clear *',
    'savepoint s',
    'release s',
    'savepoint t',
    'release t',
  )
  fc.assert(
    fc.property(fc.array(words), fc.array(words), (before, within) => {
      const at = session().book(...before, 'commit')
      const then = at.pins.toSorted()
      expect(at.book(...within, 'rollback').pins.toSorted()).toEqual(then)
    }),
  )
})
