import { currentScope, InvalidOptionsError, type RouteLeasehold } from '@leasehold/core'
import { describe, expect, it } from 'vitest'
import { useService } from './use-service.js'

describe('a route', () => {
  const service = useService()

  const facts = async (): Promise<object> => {
    const scope = currentScope()
    const deadline = scope === undefined ? undefined : Math.ceil(scope.remainingMs() / 1_000) * 1_000
    return { label: scope?.label, mode: scope?.mode, priority: scope?.priority, deadline: `${deadline}` }
  }

  async function factsOf(path: string): Promise<unknown> {
    return JSON.parse((await service.get(path)).body)
  }

  it('has what the plugin was given, where it says nothing itself', async () => {
    await service.start(
      (app) => {
        app.get('/plain', facts)
        app.get(
          '/own',
          { config: { leasehold: { label: 'own', mode: 'session', priority: 'high', deadlineMs: 2_000 } } },
          facts,
        )
        app.get('/no-limit', { config: { leasehold: { deadlineMs: Infinity } } }, facts)
      },
      { plugin: { mode: 'statement', priority: 'low', deadlineMs: 9_000 } },
    )

    expect(await factsOf('/plain')).toEqual({
      label: 'GET /plain',
      mode: 'statement',
      priority: 'low',
      deadline: '9000',
    })
    expect(await factsOf('/own')).toEqual({ label: 'own', mode: 'session', priority: 'high', deadline: '2000' })
    expect(await factsOf('/no-limit')).toMatchObject({ deadline: 'Infinity' })
  })

  it('has no deadline and the priority `normal`, where nobody says anything', async () => {
    await service.start((app) => app.get('/', facts))

    expect(await factsOf('/')).toEqual({ label: 'GET /', priority: 'normal', deadline: 'Infinity' })
  })

  it('in `session` mode has one connection for all its statements', async () => {
    await service.start((app) =>
      app.get('/', { config: { leasehold: { mode: 'session' } } }, async () => {
        const query = (): Promise<string> => service.pool.use((client) => client.query('select'))
        return [await query(), await query(), await query()]
      }),
    )

    expect(await factsOf('/')).toEqual(['select on 1', 'select on 1', 'select on 1'])
    await service.allIsBack(1)
    expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
  })

  it('that is `off` has no scope, and says so to whoever asks for it', async () => {
    await service.start((app) => {
      app.get('/health', { config: { leasehold: { off: true } } }, async () => `${currentScope()?.label}`)
      app.get(
        '/asks',
        { config: { leasehold: { off: true } } },
        async (request) => `${request.leasehold.signal.aborted}`,
      )
    })

    expect((await service.get('/health')).body).toBe('undefined')
    const { status, body } = await service.get('/asks')
    expect(status).toBe(500)
    expect(JSON.parse(body)).toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      message: expect.stringContaining('its route is `off`') as string,
    })
    expect(service.scopes).toEqual([])
  })

  it.each<[unknown, readonly string[]]>([
    [
      { mode: 'row', priority: 'urgent', deadlineMs: 0, label: '', off: 'yes' },
      ['off', 'label', 'mode', 'priority', 'deadlineMs'],
    ],
    [{ deadline: 1_000 }, ['deadline']],
    [{ off: true, mode: 'session' }, ['off']],
    [true, ['options']],
  ])('that says %j is refused when it is declared, with all that is wrong', async (config, options) => {
    await service.start((app) => {
      const leasehold = config as RouteLeasehold
      const refused = refusalOf(() => app.get('/', { config: { leasehold } }, facts))
      expect(refused.faults.map((fault) => fault.option)).toEqual(options)
      expect(refused.message).toContain('The route GET /')
    })
  })

  it('that says it outside its config is told where it belongs', async () => {
    await service.start((app) => {
      const refused = refusalOf(() => app.get('/', { leasehold: { off: true } } as object, facts))
      expect(refused.message).toContain('to stand in the `config` of the route')
    })
  })

  it('that was declared before the plugin was loaded is heard, and refused by its first request', async () => {
    await service.start(() => {}, {
      before: (app) => {
        app.get('/off', { config: { leasehold: { off: true } } }, facts)
        app.get('/wrong', { config: { leasehold: { deadline: 1_000 } as RouteLeasehold } }, facts)
      },
    })

    expect(await factsOf('/off')).not.toHaveProperty('label')
    expect((await service.get('/wrong')).status).toBe(500)
    expect(service.scopes).toEqual([])
  })
})

function refusalOf(work: () => unknown): InvalidOptionsError {
  try {
    work()
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
