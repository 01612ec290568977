import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { describeScopeCarrierContract } from '@leasehold/testkit/contracts'
import { createNamespace, type Namespace } from 'cls-hooked'
import { expect, test } from 'vitest'
import { clsHookedCarrier } from './cls-hooked-carrier.js'

let namespaces = 0
function namespaceOf(): Namespace {
  namespaces += 1
  return createNamespace(`service ${namespaces}`)
}

describeScopeCarrierContract('a cls-hooked namespace', () => clsHookedCarrier(namespaceOf()))

test('what the service keeps in its namespace is seen inside, and what is set inside stays there', async () => {
  const namespace = namespaceOf()
  const carrier = clsHookedCarrier<object>(namespace)

  await namespace.runPromise(async () => {
    namespace.set('user', 'ada')
    await carrier.run({}, async () => {
      await Promise.resolve()
      expect(namespace.get('user')).toBe('ada')
      namespace.set('user', 'grace')
      expect(namespace.get('user')).toBe('grace')
    })
    expect(namespace.get('user')).toBe('ada')
  })
})

test('the context goes along with all that the service does with its namespace', async () => {
  const namespace = namespaceOf()
  const carrier = clsHookedCarrier<object>(namespace)
  const context = { of: 'this request' }
  const emitter = new EventEmitter()
  const seen: unknown[] = []
  const note = (): void => void seen.push(carrier.current())

  const bound = carrier.run(context, () => {
    namespace.run(note)
    namespace.runAndReturn(note)
    namespace.bindEmitter(emitter)
    emitter.on('data', note)
    return namespace.bind(note)
  })
  bound()
  emitter.emit('data')
  await carrier.run(context, () => namespace.runPromise(async () => (await Promise.resolve(), note())))

  expect(seen).toEqual(Array.from({ length: 5 }, () => context))
})

test('outside all contexts nothing of the service’s own is seen either, and what is set there stays there', async () => {
  const namespace = namespaceOf()
  const carrier = clsHookedCarrier<object>(namespace)

  await carrier.run({}, async () => {
    namespace.set('user', 'ada')
    await carrier.run(undefined, async () => {
      await Promise.resolve()
      expect(namespace.get('user')).toBeUndefined()
      namespace.set('user', 'nobody')
    })
    carrier.run(undefined, () => expect(namespace.get('user')).toBeUndefined())
    expect(namespace.get('user')).toBe('ada')
  })
})

test('what was begun outside stays outside, also when a request sets it off', () => {
  const carrier = clsHookedCarrier<object>(namespaceOf())
  // As sockets and parsers of Node have it.
  const begun = carrier.run({ of: 'the opener' }, () => carrier.run(undefined, () => new AsyncResource('a socket')))

  const seen = carrier.run({ of: 'another request' }, () => begun.runInAsyncScope(() => carrier.current()))

  expect(seen).toBeUndefined()
})

test('a context is entered once for each run, and is the same one after every turn of it', async () => {
  const namespace = namespaceOf()
  const carrier = clsHookedCarrier<object>(namespace)

  await carrier.run({}, async () => {
    const entered: unknown = namespace.active
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise(setImmediate)
      expect(namespace.active).toBe(entered)
    }
  })
})

test.each<[string, unknown]>([
  ['an error', new Error('of the work')],
  ['a frozen error', Object.freeze(new Error('of the work'))],
  ['a text', 'of the work'],
  ['nothing at all', undefined],
])('%s that is thrown comes out as it went in', (_, thrown) => {
  const carrier = clsHookedCarrier<object>(namespaceOf())
  const throws = (): never => {
    throw thrown
  }
  const caught = (work: () => void): unknown => {
    try {
      work()
    } catch (error) {
      return error
    }
    return 'nothing was thrown'
  }

  for (const context of [{}, undefined]) expect(caught(() => carrier.run(context, throws))).toBe(thrown)
  expect(caught(carrier.bind(throws))).toBe(thrown)
  // cls-hooked itself hangs the context, and with it the scope, into every error: logs would print it.
  expect(typeof thrown === 'object' ? Object.keys(thrown as object) : []).toEqual([])
})

test('a bound callback has its caller’s contexts in AsyncLocalStorage too', () => {
  const carrier = clsHookedCarrier<object>(namespaceOf())
  const tracing = new AsyncLocalStorage<string>()
  const context = { of: 'the caller' }

  const bound = tracing.run('the caller’s span', () =>
    carrier.run(context, () => carrier.bind(() => [carrier.current(), tracing.getStore()])),
  )

  expect(tracing.run('the socket’s span', bound)).toEqual([context, 'the caller’s span'])
})

test('two carriers on one namespace do not meet', () => {
  const namespace = namespaceOf()
  const [first, second] = [clsHookedCarrier<object>(namespace), clsHookedCarrier<object>(namespace)]
  const context = {}

  first.run(context, () => {
    expect(second.current()).toBeUndefined()
    second.run({}, () => expect(first.current()).toBe(context))
  })
})

test('a context is not printed with the values of the namespace', () => {
  const namespace = namespaceOf()
  const carrier = clsHookedCarrier<object>(namespace)

  carrier.run({ secret: 'of the scope' }, () => {
    namespace.set('user', 'ada')
    expect(JSON.stringify(namespace.active)).not.toContain('of the scope')
  })
})
