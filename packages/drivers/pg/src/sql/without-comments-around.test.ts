import { expect, it } from 'vitest'
import { withoutCommentsAround } from './without-comments-around.js'

it('a statement is the same with the comments that tracers add', () => {
  for (const traced of [
    "set role app /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/",
    "/*dddbs='orders',ddpv='1'*/ set role app",
    'set role app',
  ]) {
    expect(withoutCommentsAround(traced)).toBe('set role app')
  }
})

it('nothing is taken off that may not be a comment', () => {
  for (const text of [
    '/* a /* b */ set role app */ set role other',
    'set role app /* a */; set role other -- */',
    '-- /*\nset role app */',
    'set role app */',
    '/* set role app',
  ]) {
    expect(withoutCommentsAround(text)).toBe(text)
  }
})
