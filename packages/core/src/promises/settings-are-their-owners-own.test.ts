import { type FakeClient, FakeDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { describe, expect, it } from 'vitest'
import {
  createPool,
  currentScope,
  detached,
  openScope,
  runInScope,
  type InvalidOptionsError,
  type Lease,
  type SettingRequiredError,
} from '../index.js'

// Issue 4, section 4, as far as core goes: which settings a lease is to have. How they are made is the drivers' tests'.

const tenant = (id: string) => ({ 'app.tenant_id': id })

describe('declared settings', () => {
  it('go with the first statement of each lease of the scope, and with nobody else', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await runInScope({ label: 'a', settings: { ...tenant('1'), role: 'reader' } }, () =>
      pool.use((c) => c.query('one')),
    )
    await pool.use((client) => client.query('two'))
    await runInScope({ label: 'b', settings: tenant('2') }, () => pool.use((client) => client.query('three')))

    expect(driver.sessions[0]?.settings.ran).toEqual([
      { text: 'one', settings: { 'app.tenant_id': '1', role: 'reader' } },
      { text: 'two', settings: {} },
      { text: 'three', settings: { 'app.tenant_id': '2' } },
    ])
  })

  it('of a request stand over those of its scope, and those of a scope over those around it, name by name', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await runInScope({ label: 'outer', settings: { ...tenant('1'), role: 'reader' } }, () =>
      runInScope({ label: 'inner', settings: { Role: 'writer' } }, () =>
        pool.use((client) => client.query('q'), { settings: { statement_timeout: 500, 'app.debug': true } }),
      ),
    )

    expect(driver.sessions[0]?.settings.ran[0]?.settings).toEqual({
      'app.tenant_id': '1',
      role: 'writer',
      statement_timeout: '500',
      'app.debug': 'true',
    })
  })

  it('of an adapter stand under those of the scope', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const query = () =>
      pool.use((client) => client.query('q'), { defaultSettings: { search_path: 'own', role: 'reader' } })

    await query()
    await runInScope({ label: 'a', settings: { search_path: 'acme' } }, query)

    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([
      { search_path: 'own', role: 'reader' },
      { search_path: 'acme', role: 'reader' },
    ])
  })

  it('are not made again on a connection that carries them', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const once = () => runInScope({ label: 'a', settings: tenant('1') }, () => pool.use((client) => client.query('q')))

    await once()
    await once()

    expect(driver.countOf('declare')).toBe(1)
    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([tenant('1'), tenant('1')])
  })

  it('lead to the idle connection that carries them already', async () => {
    const { pool, driver } = openFakePool({ max: 3 })
    const leases = await Promise.all(['1', '2', '3'].map((id) => pool.acquire({ settings: tenant(id) })))
    for (const { client } of leases) await client.query('q')
    for (const lease of leases) lease.release()
    const before = driver.countOf('declare')

    const met: number[] = []
    for (const id of ['1', '2', '3', '1']) {
      await pool.use((client) => met.push(client.id), { settings: tenant(id) })
    }

    expect([met, driver.countOf('declare') - before]).toEqual([[1, 2, 3, 1], 0])
  })

  it('choose the connection and never the waiter: the oldest is served, whatever the connection carries', async () => {
    const { pool } = openFakePool({ max: 1 })
    const held = await pool.acquire({ settings: tenant('1') })
    await held.client.query('q')
    const oldest = watched(pool.acquire({ settings: tenant('2') }))
    const fitting = watched(pool.acquire({ settings: tenant('1') }))
    await settled()

    held.release()
    await settled()

    expect([oldest.outcome, fitting.outcome]).toEqual(['fulfilled', 'pending'])
  })

  it('that never went out are not believed to be on the session, nor sent for the next owner', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await pool.use(() => {}, { settings: tenant('1') })
    await pool.use((client) => client.query('of nobody'))
    await pool.use((client) => client.query('of one'), { settings: tenant('1') })

    expect(driver.sessions[0]?.settings.ran).toEqual([
      { text: 'of nobody', settings: {} },
      { text: 'of one', settings: tenant('1') },
    ])
  })

  it('go again when the statement that they went with failed', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await pool.use(
      async (client) => {
        await client.query('fail').catch(() => {})
        await client.query('again')
      },
      { settings: tenant('1') },
    )

    expect(driver.sessions[0]?.settings.ran[1]).toEqual({ text: 'again', settings: tenant('1') })
    expect(driver.sessions[0]?.settings.inForce).toEqual(new Map(Object.entries(tenant('1'))))
  })

  it('that an owner changed by a statement of its own are made anew for the next', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await pool.use((client) => client.query('set app.tenant_id'), { settings: tenant('1') })

    await pool.use((client) => client.query('q'), { settings: tenant('1') })

    expect(driver.countOf('declare')).toBe(2)
  })

  it('are made anew after a reset, which may have taken them along', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await pool.use((client) => client.query('begin'), { settings: tenant('1') })

    await pool.use((client) => client.query('q'), { settings: tenant('1') })

    expect([driver.countOf('reset'), driver.countOf('declare')]).toEqual([1, 2])
  })

  it('can be set while the scope is open, for the leases that follow', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await runInScope({ label: 'a' }, async (scope) => {
      await pool.use((client) => client.query('before authentication'))
      scope.set(tenant('7'))
      await pool.use((client) => client.query('after'))
      scope.set({ role: 'reader' })
      await pool.use((client) => client.query('later'))
    })

    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([
      {},
      tenant('7'),
      { ...tenant('7'), role: 'reader' },
    ])
  })

  it('that are set while a caller waits are those of the lease that it gets', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const held = await pool.acquire()

    await runInScope({ label: 'a' }, async (scope) => {
      const waiting = pool.use((client) => client.query('q'))
      scope.set(tenant('7'))
      held.release()
      await waiting
    })

    expect(driver.sessions[0]?.settings.ran[0]?.settings).toEqual(tenant('7'))
  })

  it('reach a session that the scope shares with its next statement', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await runInScope({ label: 'a', mode: 'session' }, async (scope) => {
      const lease = await pool.acquire()
      await lease.client.query('before')
      scope.set(tenant('7'))
      await lease.client.query('after')
    })

    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([{}, tenant('7')])
  })

  it('of a single request are refused where leases share a session', async () => {
    const { pool } = openFakePool()

    await runInScope({ label: 'a', mode: 'session' }, async () => {
      await expect(pool.acquire({ settings: tenant('1') })).rejects.toThrow('declare them on the scope')
    })
  })

  it('cannot be set once the scope has closed', async () => {
    const scope = openScope({ label: 'a' })
    await scope.close()

    expect(() => scope.set(tenant('1'))).toThrow(expect.objectContaining({ code: 'LEASEHOLD_SCOPE_CLOSED' }))
  })

  it('stay with what goes on after the scope has closed', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    let late: Promise<unknown> | undefined

    await runInScope({ label: 'a', settings: tenant('1') }, (scope) => {
      void detached(() => pool.use((client) => client.query('detached')))
      late = scope.signal && new Promise((resolve) => setImmediate(() => resolve(pool.use((c) => c.query('late')))))
    })
    await late
    await settled()

    expect(driver.sessions[0]?.settings.ran).toEqual([
      { text: 'detached', settings: tenant('1') },
      { text: 'late', settings: tenant('1') },
    ])
  })

  it('are not those of a lease that is meant to be held for long, which is no request of the scope', async () => {
    const { pool, driver } = openFakePool({ max: 1 })

    await runInScope({ label: 'a', settings: tenant('1') }, async () => {
      const listening = await pool.acquire({ hold: 'long' })
      await listening.client.query('listen')
      listening.release()
    })

    expect(driver.sessions[0]?.settings.ran[0]?.settings).toEqual({})
  })

  it('may be for one pool of several', async () => {
    const { pool: main, driver } = openFakePool({ max: 1 })
    const { pool: audit, driver: auditDriver } = openFakePool({ max: 1 })

    await runInScope(
      { label: 'a', settings: { role: 'reader' }, poolSettings: new Map([[main, tenant('1')]]) },
      async (scope) => {
        await main.use((client) => client.query('q'))
        await audit.use((client) => client.query('q'))
        scope.set({ role: 'auditor' }, { leases: audit })
        await audit.use((client) => client.query('q'))
      },
    )

    expect(driver.sessions[0]?.settings.ran[0]?.settings).toEqual({ role: 'reader', ...tenant('1') })
    expect(auditDriver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([
      { role: 'reader' },
      { role: 'auditor' },
    ])
  })
})

describe('a function of settings', () => {
  it('is asked at the first lease and once, with what is known by then', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const request = { user: undefined as string | undefined }
    let asked = 0
    const settings = () => {
      asked += 1
      return tenant(request.user ?? 'nobody')
    }

    await runInScope({ label: 'a', settings }, async () => {
      request.user = '5'
      await pool.use((client) => client.query('q'))
      await pool.use((client) => client.query('q'))
    })

    expect([asked, driver.sessions[0]?.settings.ran[0]?.settings]).toEqual([1, tenant('5')])
  })

  it('may take time and ask the database itself, in a scope that declares nothing', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const labels: unknown[] = []
    const settings = async () => {
      labels.push(currentScope()?.label)
      return tenant(await pool.use((client) => client.query('whose')))
    }

    await runInScope({ label: 'a', settings }, async () => {
      await Promise.all([pool.use((client) => client.query('q')), pool.use((client) => client.query('r'))])
      expect(pool.tryAcquire()?.release()).toBeUndefined()
    })

    expect(labels).toEqual(['settings of a'])
    expect(driver.sessions[0]?.settings.ran.map(({ settings: ran }) => ran)).toEqual([
      {},
      tenant('whose on 1'),
      tenant('whose on 1'),
    ])
  })

  it('fails the lease when it fails, and is asked again by the next', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const answers = [() => Promise.reject(new Error('no token')), () => ({ 'a b': '1' }), () => tenant('1')]
    const settings = () => answers.shift()?.() ?? {}

    await runInScope({ label: 'a', settings }, async () => {
      await expect(pool.acquire()).rejects.toThrow('no token')
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
      await pool.use((client) => client.query('q'))
    })

    expect(driver.sessions[0]?.settings.ran).toEqual([{ text: 'q', settings: tenant('1') }])
  })

  it('has no more time than its caller', async () => {
    const { pool, clock } = openFakePool({ acquireTimeoutMs: 100 })
    const settings = () => new Promise<never>(() => {})

    await runInScope({ label: 'a', settings }, async () => {
      const lease = watched(pool.acquire())
      await settled()
      clock.advance(100)
      await settled()
      expect(lease.state).toMatchObject({ error: { code: 'LEASEHOLD_ACQUIRE_TIMEOUT' } })
    })
  })

  it('keeps nobody waiting once the scope has ended, though it never answers', async () => {
    const { pool, clock } = openFakePool()
    const scope = openScope({ label: 'a', clock, settings: () => new Promise<never>(() => {}) })
    const lease = watched(scope.run(() => pool.acquire({ timeoutMs: Infinity })))
    await settled()

    await scope.close()
    await settled()

    expect(lease.state).toMatchObject({ error: { code: 'LEASEHOLD_SCOPE_CLOSED' } })
    expect(pool.snapshot().counts.aborted).toBe(1)
  })

  describe('that fails, with nobody who waits for it,', () => {
    refuseUnhandledErrors()
    const failing = (why: string) => () => Promise.reject(new Error(why))

    it('does not end the process when it was asked by tryAcquire', async () => {
      const { pool } = openFakePool()
      await pool.use((client) => client.query('q'))

      await runInScope({ label: 'outer', settings: failing('no token') }, () =>
        runInScope({ label: 'inner', settings: failing('no tenant') }, () => {
          expect(pool.tryAcquire()).toBeUndefined()
          return settled()
        }),
      )
    })

    it('does not end the process when the one of a scope within failed before it', async () => {
      const { pool } = openFakePool()
      const settings = (): never => {
        throw new Error('no tenant')
      }

      await runInScope({ label: 'outer', settings: failing('no token') }, () =>
        runInScope({ label: 'inner', settings }, async () => {
          await expect(pool.acquire()).rejects.toThrow('no tenant')
          return settled()
        }),
      )
    })
  })

  it('that answers after the scope has closed gets nobody a lease', async () => {
    const { pool, driver } = openFakePool()
    let answer: (settings: Record<string, string>) => void = () => {}
    const settings = () => new Promise<Record<string, string>>((resolve) => (answer = resolve))
    const scope = openScope({ label: 'a', settings })
    const lease = watched(scope.run(() => pool.acquire()))
    await settled()

    await scope.close()
    answer(tenant('1'))
    await settled()

    expect(lease.state).toMatchObject({ error: { code: 'LEASEHOLD_SCOPE_CLOSED' } })
    expect(driver.sockets.total).toBe(0)
  })
})

describe('a pool that requires settings', () => {
  it('lends nothing to who has not declared them', async () => {
    const { pool, driver } = openFakePool({ requireSettings: ['app.tenant_id', 'Role'] })

    const refused = await runInScope({ label: 'GET /', settings: tenant('1') }, () =>
      pool.acquire().catch((error: SettingRequiredError) => error),
    )

    expect(refused).toMatchObject({
      code: 'LEASEHOLD_SETTING_REQUIRED',
      phase: 'settings',
      missing: ['Role'],
      label: 'GET /',
    })
    expect(() => pool.tryAcquire()).toThrow('without declaring app.tenant_id, Role')
    expect(driver.calls).toEqual([])
  })

  it('only says so where it observes: what another one has declared is still not met', async () => {
    const { pool, driver } = openFakePool({ max: 1, requireSettings: ['app.tenant_id'], observe: true })
    const told: string[] = []
    pool.on('observe', ({ would, why, label }) => told.push(`${would} ${label}: ${why}`))
    await runInScope({ label: 'a', settings: tenant('1') }, () => pool.use((client) => client.query('with it')))

    await runInScope({ label: 'b' }, () => pool.use((client) => client.query('without')))

    const refused = (label: string): string => `refuse ${label}: it has not declared app.tenant_id (requireSettings)`
    expect(told).toEqual([refused('b')])
    const lease = await pool.acquire({ label: 'c' })
    // What is not idle is asked for at once, and then waited for.
    const waiting = new Promise<Lease<FakeClient>>((serve, refuse) => pool.acquireThen({ label: 'd' }, serve, refuse))
    lease.release()
    const served = await waiting
    served.release()
    expect(told.slice(1)).toEqual([refused('c'), refused('d')])
    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([tenant('1'), {}])
  })

  it('lends to who has, wherever that was', async () => {
    const { pool } = openFakePool({ requireSettings: ['app.tenant_id', 'role'] })

    await runInScope({ label: 'a', settings: tenant('1') }, () =>
      pool.use((client) => client.query('q'), { settings: { role: 'reader' } }),
    )
  })
})

describe('settings are refused', () => {
  it('with a driver that cannot make them, before anything is lent', async () => {
    const driver = new FakeDriver({ without: ['declare'] })
    const pool = createPool(driver)

    const refused = await pool.acquire({ settings: tenant('1') }).catch((error: InvalidOptionsError) => error)

    expect(refused).toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
    expect((refused as Error).message).toContain('driver fake cannot make them')
    expect(driver.calls).toEqual([])
  })

  it('when the driver knows why they cannot be declared', async () => {
    const { pool } = openFakePool()

    await expect(pool.acquire({ settings: { Forbidden: 'x' } })).rejects.toThrow('the fake driver says so')
  })

  it('by their names, without telling a value', async () => {
    const { pool } = openFakePool()
    const settings = { 'app.token': Symbol('secret') as unknown as string, "x'; drop table t; --": 'secret' }

    const refused = await pool.acquire({ settings }).catch((error: InvalidOptionsError) => error)

    expect(refused).toMatchObject({ faults: [{ option: 'settings.app.token' }, { option: 'settings.(a name)' }] })
    expect((refused as Error).message).not.toContain('secret')
  })
})

describe('where a lone statement has tied a session to its scope', () => {
  it('what the scope declares is in force for its next statement, whatever that one did', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const lone = { statement: true } as const

    await runInScope({ label: 'a', settings: tenant('1') }, async (scope) => {
      await pool.use((client) => client.query('set app.tenant_id'), lone)
      driver.sessions[0]?.settings.made({ set: [['app.tenant_id', 'forged']], clear: [], keep: [] })
      await pool.use((client) => client.query('next'), lone)
      scope.set({ role: 'reader' })
      await pool.use((client) => client.query('later'), lone)
      await pool.use((client) => client.query('with its own'), { ...lone, settings: tenant('2') })
      await pool.use((client) => client.query('last'), lone)
      await pool.use((client) => client.query('as much'), { ...lone, settings: { role: 'reader' } })
    })

    const ran = driver.sessions.map(({ settings }) => settings.ran.map(({ text, settings: met }) => [text, met]))
    expect(ran).toEqual([
      [
        ['set app.tenant_id', tenant('1')],
        ['next', tenant('1')],
        ['later', { ...tenant('1'), role: 'reader' }],
        ['last', { ...tenant('1'), role: 'reader' }],
        ['as much', { ...tenant('1'), role: 'reader' }],
      ],
      [['with its own', { ...tenant('2'), role: 'reader' }]],
    ])
  })

  it('the next one learns why it cannot have what the scope declares, where the driver fails to be told', async () => {
    const { pool, driver } = openFakePool()
    const lone = { statement: true } as const

    await runInScope({ label: 'a', settings: tenant('1') }, async () => {
      await pool.use((client) => client.query('set app.tenant_id'), lone)
      const { declare } = driver
      Object.assign(driver, {
        declare: () => {
          throw new Error('a bug of the driver')
        },
      })
      const next = pool.use((client) => client.query('next'), lone)
      await expect(next).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })
      Object.assign(driver, { declare })
      await pool.use((client) => client.query('after'), lone)
    })

    expect(driver.sessions.map(({ settings }) => settings.ran.map(({ text }) => text))).toEqual([
      ['set app.tenant_id'],
      ['after'],
    ])
  })
})

describe('what an adapter sets on its own account', () => {
  it('is set without what the owner declares, which stands over it from the next statement on', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await pool.use((client) => client.query('of another'), { settings: tenant('2') })

    const lease = await pool.acquire({ settings: tenant('1') })
    await lease.withoutSettings(() => lease.client.query('set app.tenant_id'))
    await lease.client.query('own')
    await lease.prepare(() => lease.client.query('set app.tenant_id'))
    await lease.client.query('own')

    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([
      tenant('2'),
      {},
      tenant('1'),
      {},
      tenant('1'),
    ])
  })
})
