import { describe, expect, it } from 'vitest'
import { nearestName } from './nearest-name.js'

const KNOWN = ['max', 'min', 'maxLifetimeMs', 'idleTimeoutMs', 'connectTimeoutMs', 'acquireTimeoutMs']

describe('the nearest known name', () => {
  it.each([
    ['maxLifetime', 'maxLifetimeMs'],
    ['maxLifeTimeMs', 'maxLifetimeMs'],
    ['maxlifetimems', 'maxLifetimeMs'],
    ['idleTimeoutMillis', 'idleTimeoutMs'],
    ['connectionTimeoutMillis', 'connectTimeoutMs'],
    ['acquireTimeoutMillis', 'acquireTimeoutMs'],
    ['maxx', 'max'],
    ['mni', 'min'],
  ])('is found for %s: %s', (written, meant) => {
    expect(nearestName(written, KNOWN)).toBe(meant)
  })

  it('is none when nothing is near', () => {
    expect(nearestName('password', KNOWN)).toBeUndefined()
    expect(nearestName('host', KNOWN)).toBeUndefined()
    expect(nearestName('', KNOWN)).toBeUndefined()
    expect(nearestName('anything', [])).toBeUndefined()
  })

  it('is the first of two that are equally near', () => {
    expect(nearestName('mix', ['max', 'min'])).toBe('max')
  })
})
