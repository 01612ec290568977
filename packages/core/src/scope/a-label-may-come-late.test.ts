import { createPool } from '../surface/create-pool.js'
import { FakeDriver } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { currentScope, openScope } from './scopes.js'

describe('a scope whose name is known only later', () => {
  it('is called what is known by then, in its leases, reports and reasons', async () => {
    let label = 'GET (no route)'
    const pool = createPool(new FakeDriver())
    const scope = openScope({ label: () => label })
    expect(scope.label).toBe('GET (no route)')
    const early = await scope.run(() => pool.acquire())

    label = 'GET /orders/:id'

    expect(scope.run(() => currentScope()?.label)).toBe('GET /orders/:id')
    const late = await scope.run(() => pool.acquire())
    // A lease keeps the name under which it was taken.
    expect([early.label, late.label]).toEqual(['GET (no route)', 'GET /orders/:id'])
    await scope.close()
    expect(String(scope.signal.reason)).toContain('the scope "GET /orders/:id" has closed')
    await pool.close()
  })
})
