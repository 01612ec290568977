import { currentScope, detached, InvalidOptionsError, runInScope, useScopeCarrier } from '@leasehold/core'
import { openFakePool } from '@leasehold/testkit'
import { createNamespace } from 'cls-hooked'
import { expect, test } from 'vitest'
import { clsHookedCarrier } from './cls-hooked-carrier.js'

const namespace = createNamespace('my-service')
useScopeCarrier(clsHookedCarrier(namespace))

test('a scope and what the service keeps are one context', async () => {
  await namespace.runPromise(async () => {
    namespace.set('user', 'ada')
    await runInScope({ label: 'GET /orders' }, async (scope) => {
      await new Promise(setImmediate)
      expect([currentScope(), namespace.get('user')]).toEqual([scope, 'ada'])
      await new Promise<void>((resolve) => {
        setTimeout(
          namespace.bind(() => resolve()),
          0,
        )
      })
      expect(currentScope()).toBe(scope)
    })
    expect(currentScope()).toBeUndefined()
  })
})

test('detached work has a scope of its own, and nothing of the request’s', async () => {
  await runInScope({ label: 'GET /orders' }, async () => {
    namespace.set('user', 'ada')
    const seen = await detached(async (own) => [currentScope() === own, own.label, namespace.get('user')])
    expect(seen).toEqual([true, 'detached from GET /orders', undefined])
  })
})

test('a transaction of the pool is joined by what asks in its context, and by nothing else', async () => {
  const { pool, driver } = openFakePool()
  const insert = (row: string): Promise<unknown> => pool.use((client) => client.query(`insert ${row}`))
  const failure = new Error('of the work')
  const run = namespace.runPromise(() =>
    pool.transaction(async () => {
      await new Promise(setImmediate)
      await runInScope({ label: 'inside' }, () => insert('inside'))
      await detached(() => insert('detached'))
      throw failure
    }),
  )
  await insert('beside')
  await expect(run).rejects.toBe(failure)
  expect(driver.rows).toEqual(['beside', 'detached'])
})

test('another carrier is refused once a scope was opened', async () => {
  await runInScope({ label: 'the first' }, () => {})

  expect(() => useScopeCarrier(clsHookedCarrier(createNamespace('too late')))).toThrow(InvalidOptionsError)
  expect(() => useScopeCarrier(clsHookedCarrier(createNamespace('too late, too')))).toThrow(
    'useScopeCarrier cannot be used: carrier: expected to be called before any scope is opened',
  )
})
