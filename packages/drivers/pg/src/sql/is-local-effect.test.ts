import { expect, test } from 'vitest'
import { isLocalEffect } from './is-local-effect.js'

test('an effect ends with its transaction when its text says so, or the value that is bound to its answer', () => {
  expect(isLocalEffect({ isLocal: true, isLocalIf: undefined }, undefined)).toBe(true)
  expect(isLocalEffect({ isLocal: false, isLocalIf: undefined }, [true])).toBe(false)
  const bound = { isLocal: false, isLocalIf: { parameter: 2 } }
  expect(isLocalEffect(bound, ['x', true])).toBe(true)
  expect(isLocalEffect(bound, ['x', 'on'])).toBe(true)
})

test('one whose answer is not bound, or to what is not known to be true, is not local', () => {
  const bound = { isLocal: false, isLocalIf: { parameter: 2 } }
  for (const values of [undefined, [], ['x'], ['x', null], ['x', 1]]) expect(isLocalEffect(bound, values)).toBe(false)
})
