import { currentScope, InvalidOptionsError, openScope, type RouteLeasehold } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import type { RequestHandler } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { leasehold } from '../leasehold.js'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

const facts: RequestHandler = (_req, res) => {
  const scope = currentScope()
  const deadline = scope === undefined ? undefined : Math.ceil(scope.remainingMs() / 1_000) * 1_000
  res.json({ label: scope?.label, mode: scope?.mode, priority: scope?.priority, deadline: `${deadline}` })
}

describe.each(versions)('on %s a router or a route', (_, express) => {
  const service = useService(express)

  async function factsOf(path: string): Promise<unknown> {
    return JSON.parse((await service.get(path)).body)
  }

  it('has what the middleware was given, where it says nothing itself', async () => {
    await service.start(
      (app) => {
        const reports = express.Router()
        reports.use(leasehold.route({ mode: 'session', priority: 'low', deadlineMs: 60_000 }))
        reports.get('/:id', facts)
        app.use('/reports', reports)
        app.get('/plain', facts)
        app.get('/own', leasehold.route({ label: 'own', priority: 'high' }), facts)
        app.get('/no-limit', leasehold.route({ deadlineMs: Infinity }), facts)
      },
      { leasehold: { mode: 'statement', deadlineMs: 9_000 } },
    )

    const plain = { mode: 'statement', priority: 'normal', deadline: '9000' }
    expect(await factsOf('/plain')).toEqual({ ...plain, label: 'GET /plain' })
    expect(await factsOf('/own')).toEqual({ ...plain, label: 'own', priority: 'high' })
    expect(await factsOf('/no-limit')).toEqual({ ...plain, label: 'GET /no-limit', deadline: 'Infinity' })
    expect(await factsOf('/reports/7')).toEqual({
      label: 'GET /reports/:id',
      mode: 'session',
      priority: 'low',
      deadline: '60000',
    })
    await service.allIsBack(4)
  })

  it('in `session` mode has one connection for all its statements', async () => {
    await service.start((app) =>
      app.get(
        '/',
        leasehold.route({ mode: 'session' }),
        handle(async (_req, res) => {
          const query = (): Promise<string> => service.pool.use((client) => client.query('select'))
          res.json([await query(), await query(), await query()])
        }),
      ),
    )

    expect(await factsOf('/')).toEqual(['select on 1', 'select on 1', 'select on 1'])
    await service.allIsBack(1)
    expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
  })

  it('that has a scope of its own leaves the one before to whoever works in it, and both end with the response', async () => {
    const seen: unknown[] = []
    await service.start((app) => {
      app.use(
        handle(async (_req, _res, next) => {
          await service.pool.acquire()
          next()
        }),
      )
      app.get(
        '/',
        leasehold.route({ priority: 'high' }),
        handle(async (req, res) => {
          await service.pool.acquire()
          const own = req.leasehold.scope
          seen.push(own === currentScope(), own === service.scopes[0], own.held, service.scopes[0]?.held)
          service.scopes.push(own)
          res.send('done')
        }),
      )
    })

    expect((await service.get('/')).body).toBe('done')

    expect(seen).toEqual([true, false, 1, 1])
    await service.allIsBack(2)
  })

  it('that has a scope of its own keeps the signal, and all its scopes end when the client hangs up', async () => {
    const come = new Gate()
    const signals: AbortSignal[] = []
    await service.start((app) => {
      app.use((req, _res, next) => (signals.push(req.leasehold.signal), next()))
      app.get('/', leasehold.route({ mode: 'session' }), (req) => {
        signals.push(req.leasehold.signal)
        service.scopes.push(req.leasehold.scope)
        come.open()
      })
    })
    const sent = service.send('/')
    await come.promise

    sent.destroy()

    await service.allIsBack(2)
    expect(new Set(signals).size).toBe(1)
    expect(signals[0]?.reason).toMatchObject({ message: 'the response to GET / closed before the answer was finished' })
    expect(service.scopes[1]?.signal.reason).toBe(signals[0]?.reason)
  })

  it('that is reached when the client has gone gets a scope that is closed', async () => {
    const held = new Gate()
    const seen: boolean[] = []
    await service.start((app) => {
      app.use(
        handle(async (_req, _res, next) => {
          await held.promise
          next()
        }),
      )
      app.get('/', leasehold.route({ mode: 'session' }), (req) => void seen.push(req.leasehold.scope.isOpen))
    })
    const sent = service.send('/')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))
    sent.destroy()
    await service.allIsBack(1)

    held.open()

    await vi.waitFor(() => expect(seen).toEqual([false]))
  })

  it('of a request that is served inside another scope inherits from that one, whose deadline it cannot lift', async () => {
    await service.start((app) => {
      app.get('/plain', facts)
      app.get('/no-limit', leasehold.route({ deadlineMs: Infinity, mode: 'session' }), facts)
    })
    const [serve] = service.server.listeners('request') as Array<(...args: unknown[]) => void>
    service.server.removeAllListeners('request')
    service.server.on('request', (req, res) => {
      const outer = openScope({ label: 'outer', priority: 'high', deadlineMs: 60_000 })
      outer.run(() => serve?.(req, res))
      res.on('close', () => void outer.close())
    })

    const inherited = { priority: 'high', deadline: '60000' }
    expect(await factsOf('/plain')).toEqual({ ...inherited, label: 'GET /plain' })
    expect(await factsOf('/no-limit')).toEqual({ ...inherited, label: 'GET /no-limit', mode: 'session' })
    await service.allIsBack(2)
  })

  it('that is `off` has no scope, and says so to whoever asks for it', async () => {
    await service.start((app) => {
      app.use(['/health', '/asks'], leasehold.route({ off: true }))
      app.get('/health', facts)
      app.get('/asks', (req, res) => void res.send(`${req.leasehold.signal.aborted}`))
      app.use((error: Error, _req: unknown, res: { send(text: string): void }, _next: unknown) => {
        res.send(`${(error as InvalidOptionsError).code}: ${error.message}`)
      })
    })

    expect(await factsOf('/health')).toEqual({ deadline: 'undefined' })
    const { body } = await service.get('/asks')
    expect(body).toContain('LEASEHOLD_INVALID_OPTIONS')
    expect(body).toContain('one whose route is `off`')
  })

  it('may have a scope again below one that is `off`', async () => {
    await service.start((app) => {
      app.use(leasehold.route({ off: true }))
      app.get('/', leasehold.route({ priority: 'high' }), facts)
    })

    expect(await factsOf('/')).toMatchObject({ label: 'GET /', priority: 'high' })
    await service.allIsBack(1)
  })

  it('that mounts a middleware of its own has what that one wishes', async () => {
    await service.start((app) => {
      const reports = express()
      reports.use(leasehold({ pool: service.pool, mode: 'session', label: ({ url }) => `reports: ${url}` }))
      reports.get('/:id', facts)
      app.use('/reports', reports)
      app.get('/', leasehold({ pool: service.pool }), (req, res) => {
        res.send(`${req.leasehold.scope === service.scopes.at(-1)}`)
      })
    })

    expect(await factsOf('/reports/7')).toMatchObject({ label: 'reports: /reports/:id', mode: 'session' })
    expect((await service.get('/')).body).toBe('true')
    await service.allIsBack(2)
  })

  it('without the middleware before it is told so by its first request', async () => {
    await service.start(() => {}, {
      before: (app) => {
        app.use('/early', leasehold.route({ mode: 'session' }))
        app.use('/early', (error: Error, _req: unknown, res: { send(text: string): void }, _next: unknown) => {
          res.send(error.message)
        })
      },
    })

    expect((await service.get('/early')).body).toContain('app.use(leasehold({ pool })) before it')
  })

  it.each<[unknown, readonly string[]]>([
    [
      { mode: 'row', priority: 'urgent', deadlineMs: 0, label: '', off: 'yes' },
      ['off', 'label', 'mode', 'priority', 'deadlineMs'],
    ],
    [{ deadline: 1_000 }, ['deadline']],
    [{ off: true, mode: 'session' }, ['off']],
    [true, ['options']],
  ])('that says %j is refused when it is declared, with all that is wrong', async (options, faults) => {
    await service.start(() => {})
    const refused = refusalOf(() => leasehold.route(options as RouteLeasehold))

    expect(refused.faults.map((fault) => fault.option)).toEqual(faults)
    expect(refused.message).toContain('leasehold.route')
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
