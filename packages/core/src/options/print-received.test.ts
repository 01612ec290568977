import { expect, test } from 'vitest'
import { printReceived, printReceivedKind } from './print-received.js'

class Orders {
  readonly total = 'secret'
}

test.each<readonly [unknown, string, string]>([
  [undefined, 'undefined', 'undefined'],
  [null, 'null', 'null'],
  [NaN, 'NaN', 'NaN'],
  [5, '5', 'a number'],
  [-0.5, '-0.5', 'a number'],
  [-Infinity, '-Infinity', 'a number'],
  [true, 'true', 'a boolean'],
  [10n, 'a bigint', 'a bigint'],
  [Symbol('secret'), 'a symbol', 'a symbol'],
  ['', 'an empty text', 'an empty text'],
  ['high', "'high'", 'a text'],
  ['two words', 'a text', 'a text'],
  ['postgres://me:secret@here/db', 'a text', 'a text'],
  [() => 'secret', 'a function', 'a function'],
  [Orders, 'a function', 'a function'],
  [[], 'an empty array', 'an empty array'],
  [['secret', 2, 3], 'an array of 3', 'an array of 3'],
  [[undefined], 'an array of 1', 'an array of 1'],
  [{ password: 'secret' }, 'an object', 'an object'],
  [Object.create(null), 'an object', 'an object'],
  [{ constructor: 'secret' }, 'an object', 'an object'],
  [new Map(), 'an object of class Map', 'an object of class Map'],
  [new Orders(), 'an object of class Orders', 'an object of class Orders'],
  [new AbortController(), 'an object of class AbortController', 'an object of class AbortController'],
  [Promise.resolve('secret'), 'a promise: it has to be awaited', 'a promise: it has to be awaited'],
])('what a refusal says that it received is what was given: %o', (value, received, kind) => {
  expect([printReceived(value), printReceivedKind(value)]).toEqual([received, kind])
})
