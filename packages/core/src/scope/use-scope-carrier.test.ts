import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { asyncLocalCarrier } from './async-local-carrier.js'
import { currentContext, useScopeCarrier } from './context.js'
import { currentScope, runInScope } from './scopes.js'

// One after the other in one process: a carrier is chosen for all of it, and cannot be changed any more once a scope was
// opened.

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'undefined'],
  ['an AsyncLocalStorage', new AsyncLocalStorage(), 'an object'],
  ['a namespace of cls-hooked', { run() {}, bind() {}, active: null }, 'an object'],
  ['a function that makes one', asyncLocalCarrier, 'a function'],
])('%s is no carrier, and is refused', (_, given, received) => {
  expect(() => useScopeCarrier(given as never)).toThrow(
    `carrier: expected a carrier: an object with run() and current() and bind(), received ${received}`,
  )
})

test('a carrier that is chosen in time carries every scope from then on', async () => {
  const carrier = asyncLocalCarrier<unknown>()
  useScopeCarrier(carrier)

  await runInScope({ label: 'carried' }, async (scope) => {
    await Promise.resolve()
    expect(currentScope()).toBe(scope)
    expect(carrier.current()).toBe(currentContext())
  })
})

test('another carrier is refused once a scope was opened', async () => {
  await runInScope({ label: 'the first' }, () => {})

  expect(() => useScopeCarrier(asyncLocalCarrier())).toThrow(
    'carrier: expected to be called before any scope is opened, received a carrier after the first scope',
  )
})
