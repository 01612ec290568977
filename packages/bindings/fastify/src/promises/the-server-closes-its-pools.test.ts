import { createPool } from '@leasehold/core'
import { FakeDriver, Gate } from '@leasehold/testkit'
import fastify from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { leasehold } from '../leasehold.js'
import { useService } from './use-service.js'

describe('when the server closes,', () => {
  const service = useService()

  it('requests that are under way still get their connections, and only then the pool closes', async () => {
    const held = new Gate()
    await service.start(
      (app) =>
        app.get('/', async () => {
          await held.promise
          return service.pool.use((client) => client.query('select'))
        }),
      // Only what is idle is sent away, as Fastify does by default.
      { server: { forceCloseConnections: 'idle' } },
    )
    const answer = service.get('/')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))

    const closing = service.app.close()
    await new Promise(setImmediate)
    expect(service.pool.snapshot().state).toBe('open')
    held.open()

    expect(await answer).toMatchObject({ status: 200, body: 'select on 1' })
    await closing
    expect(service.pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  it('what is lent outside any request is taken back at the deadline', async () => {
    await service.start(() => {}, { plugin: { closeDeadlineMs: 20 } })
    const lease = await service.pool.acquire()

    await service.app.close()

    expect(lease.active).toBe(false)
    expect(service.pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  it('the pool stays open where `closePool` is false', async () => {
    await service.start(() => {}, { plugin: { closePool: false } })

    await service.app.close()

    expect(service.pool.snapshot().state).toBe('open')
    expect(await service.pool.use((client) => client.query('select'))).toBe('select on 1')
  })

  it('a pool closes too that was never ready', async () => {
    const driver = new FakeDriver()
    driver.script.always('connect', 'error')
    const pool = createPool(driver, { warmUp: 'required' })
    const app = fastify()
    app.register(leasehold, { pool })
    await expect(app.ready()).rejects.toThrow('could not open a connection')

    await app.close()

    expect(pool.snapshot().state).toBe('closed')
    expect(driver.sockets.total).toBe(0)
  })
})
