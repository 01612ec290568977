import { expect, it } from 'vitest'
import { ConsecutiveFailures } from './consecutive-failures.js'

it('so many failures in a row trip, of attempts and of checks alike, and one connection opened ends the row', () => {
  const rule = new ConsecutiveFailures(3)
  rule.record('connect failed')
  rule.record('check failed')
  expect(rule.verdict()).toBeUndefined()
  rule.record('connected')
  rule.record('connect failed')
  rule.record('connect failed')
  expect(rule.verdict()).toBeUndefined()
  rule.record('check failed')
  expect(rule.verdict()).toBe('3 attempts in a row failed')
  rule.reset()
  expect(rule.verdict()).toBeUndefined()
})

it('no number of failures trips where Infinity is asked for', () => {
  const rule = new ConsecutiveFailures(Infinity)
  for (let count = 0; count < 1_000; count += 1) rule.record('connect failed')
  expect(rule.verdict()).toBeUndefined()
})
