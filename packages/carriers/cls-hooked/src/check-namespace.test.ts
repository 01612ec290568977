import { AsyncLocalStorage } from 'node:async_hooks'
import { isLeaseholdError } from '@leasehold/core'
import { createNamespace, destroyNamespace, getNamespace } from 'cls-hooked'
import { expect, test } from 'vitest'
import { clsHookedCarrier } from './cls-hooked-carrier.js'

function refusal(namespace: unknown): string {
  try {
    clsHookedCarrier(namespace as never)
  } catch (error) {
    expect(isLeaseholdError(error) && error.code).toBe('LEASEHOLD_INVALID_OPTIONS')
    return (error as Error).message
  }
  return 'it was taken'
}

test.each<[string, unknown, string]>([
  ['the name of a namespace', 'my-service', 'a text: the name is not the namespace'],
  ['no namespace', getNamespace('nobody'), 'undefined, which getNamespace returns for a name that nobody has created'],
  ['an AsyncLocalStorage', new AsyncLocalStorage(), 'an object of class AsyncLocalStorage'],
  ['the module', { createNamespace, getNamespace }, 'an object'],
  ['a function', createNamespace, 'a function'],
])('%s is refused, with what was expected', (_, given, received) => {
  expect(refusal(given)).toBe(
    'clsHookedCarrier cannot be used: namespace: expected a namespace of cls-hooked, as createNamespace(name) made it ' +
      `or getNamespace(name) finds it, received ${received}. Correct it and start again`,
  )
})

test('a namespace that was destroyed is refused, and so is what getNamespace then returns', () => {
  const namespace = createNamespace('gone')
  destroyNamespace('gone')

  expect(refusal(namespace)).toContain('received the namespace "gone", which was destroyed')
  expect(refusal(getNamespace('gone'))).toContain(
    'received null, which getNamespace returns for a name that was destroyed',
  )
})

test('a namespace in whose place another one was created is refused: the service lives in the other', () => {
  const first = createNamespace('twice')
  const second = createNamespace('twice')

  expect(refusal(first)).toContain('received the namespace "twice", in whose place another one was created')
  expect(refusal(second)).toBe('it was taken')
})

test('a namespace is taken though a second copy of cls-hooked has emptied the register of names', () => {
  const namespace = createNamespace('ours')
  const home = process as unknown as { namespaces: object }
  const register = home.namespaces
  home.namespaces = {}
  try {
    expect(refusal(namespace)).toBe('it was taken')
  } finally {
    home.namespaces = register
  }
})

test('a namespace that is destroyed later goes on carrying what its carrier is given', async () => {
  const carrier = clsHookedCarrier<object>(createNamespace('late'))
  const context = {}

  await carrier.run(context, async () => {
    destroyNamespace('late')
    await new Promise(setImmediate)
    expect(carrier.current()).toBe(context)
  })
})

test('looking at a namespace leaves nothing behind', () => {
  const namespace = createNamespace('clean')
  clsHookedCarrier(namespace)

  expect(namespace.active).toBeNull()
})
