import { createPool } from '../surface/create-pool.js'
import { FakeClock, FakeDriver } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { currentScope, detached, openScope, runInScope } from './scopes.js'

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

  it('is told apart at its deadline, though its function throws or says nothing', () => {
    const clock = new FakeClock()
    let isAsked = 0
    const failing = openScope({
      label: () => {
        isAsked += 1
        throw new Error('no route')
      },
      clock,
      deadlineMs: 100,
    })
    const silent = openScope({ label: () => undefined as unknown as string, clock, deadlineMs: 100 })

    clock.advance(100)

    expect(isAsked).toBeGreaterThan(0)
    for (const { signal } of [failing, silent]) {
      expect(String(signal.reason)).toContain('scope "a scope whose label function failed" has passed')
    }
  })
})

describe('what detaches itself time and again', () => {
  it('is named by where it began, however often it has done so', async () => {
    const labels: Array<string | undefined> = []
    const poll = async (): Promise<void> => {
      labels.push(currentScope()?.label)
      if (labels.length < 4) await detached(poll)
    }

    await runInScope({ label: 'start-up' }, () => detached(poll))
    await detached(() => detached(() => labels.push(currentScope()?.label)))

    expect(labels).toEqual([...Array.from({ length: 4 }, () => 'detached from start-up'), 'detached'])
  })
})
