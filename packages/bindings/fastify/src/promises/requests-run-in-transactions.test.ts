import { Readable } from 'node:stream'
import { currentTransaction } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import type { RouteHandlerMethod } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import type { RouteLeasehold } from '../route-leasehold.js'
import { type ServiceOptions, useService } from './use-service.js'

const service = useService()
const failure = new Error('of the handler')

const insert = (row: string): Promise<string> => service.pool.use((client) => client.query(`insert ${row}`))

async function start(
  handler: RouteHandlerMethod,
  options: ServiceOptions & { readonly route?: RouteLeasehold; readonly handlerTimeout?: number } = {},
): Promise<void> {
  const { route, handlerTimeout, ...others } = options
  const config = { leasehold: { transaction: true, ...route } }
  await service.start((app) => {
    app.route({ method: 'GET', url: '/', config, handler, ...(handlerTimeout && { handlerTimeout }) })
  }, others)
}

describe('a route with `transaction` is committed before its client has the answer', () => {
  it.each<[string, RouteHandlerMethod]>([
    ['returns a value', async () => (await insert('a'), 'done')],
    ['returns a promise', () => insert('a').then(() => 'done')],
    ['sends its reply and returns that', async (_request, reply) => (await insert('a'), reply.send('done'))],
    [
      'sends its reply and returns nothing',
      async (_request, reply) => {
        await insert('a')
        void reply.send('done')
      },
    ],
    [
      'returns its reply, and sends it from a callback',
      async (_request, reply) => {
        await insert('a')
        setImmediate(() => void reply.send('done'))
        return reply
      },
    ],
    ['has no promises at all', (_request, reply) => void insert('a').then(() => reply.send('done'))],
    ['returns a stream', async () => (await insert('a'), Readable.from(['do', 'ne']))],
  ])('when the handler %s', async (_how, handler) => {
    await start(function (this, request, reply) {
      // The second statement from now on is the commit.
      service.driver.script.next('query', 'ok', 'slow')
      return handler.call(this, request, reply)
    })
    let answered = false
    const answer = service.get('/').finally(() => (answered = true))
    await service.atGate()
    expect([answered, service.driver.rows]).toEqual([false, []])

    service.driver.script.open('query')

    expect(await answer).toMatchObject({ status: 200, body: 'done' })
    expect(service.driver.rows).toEqual(['a'])
    await service.allIsBack(1)
    expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
  })

  it('with its status and headers, and with hooks that run outside: before it, and after the commit', async () => {
    const inside: Record<string, boolean> = {}
    const meet = async (name: string): Promise<void> => void (inside[name] = currentTransaction() !== undefined)
    await service.start((app) => {
      app.addHook('preHandler', () => meet('preHandler'))
      app.addHook('onSend', () => meet(`onSend with ${service.driver.rows.join()}`))
      const config = { leasehold: { transaction: { isolation: 'serializable' } as const } }
      app.get('/', { config }, async (_request, reply) => {
        await meet('handler')
        await insert('a')
        return reply.code(201).header('x-is', 'here').send({ done: true })
      })
    })

    const answer = await service.get('/')

    expect(answer).toMatchObject({ status: 201, body: '{"done":true}', headers: { 'x-is': 'here' } })
    expect(inside).toEqual({ preHandler: false, handler: true, 'onSend with a': false })
  })

  it('once, for HEAD too', async () => {
    await start(async () => (await insert('a'), 'done'))
    expect((await service.answerTo(service.send('/', { method: 'HEAD' }))).status).toBe(200)
    expect(service.driver.rows).toEqual(['a'])
    expect(service.driver.sessions.map(({ settings }) => settings.ran.length)).toEqual([3])
  })

  it('on the pool that it names, and injected', async () => {
    await start(async () => (await insert('a'), 'done'), { route: { transaction: { pool: 'main' } } })
    expect((await service.app.inject('/')).body).toBe('done')
    expect(service.driver.rows).toEqual(['a'])
  })
})

describe('a route with `transaction` is rolled back, and leaves nothing,', () => {
  it.each<[string, number, RouteHandlerMethod]>([
    ['when the handler throws', 500, () => Promise.reject(failure)],
    [
      'when the handler throws before it has returned',
      500,
      () => {
        throw failure
      },
    ],
    [
      'when it throws what says another status',
      409,
      () => Promise.reject(Object.assign(new Error(), { statusCode: 409 })),
    ],
    ['when it sends an error', 500, (_request, reply) => void reply.send(failure)],
    ['when it returns an error', 500, async () => failure],
    ['when it answers with a status of 500 or above', 502, async (_request, reply) => reply.code(502).send('no')],
    ['when it answers with a status of 400 or above', 404, async (_request, reply) => reply.code(404).send('no')],
    ['when it says that there is no such route', 404, (_request, reply) => reply.callNotFound()],
  ])('%s', async (_when, status, handler) => {
    await start(async function (this, request, reply) {
      await insert('a')
      return handler.call(this, request, reply)
    })
    expect((await service.get('/')).status).toBe(status)
    expect(service.driver.rows).toEqual([])
    await service.allIsBack(1)
    expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
  })

  it('when the commit fails: the client gets the error, with nothing that was said of the other answer', async () => {
    await start(async (_request, reply) => {
      await insert('a')
      service.driver.script.next('query', 'error')
      return reply.code(201).header('content-encoding', 'identity').header('x-is', 'here').send('done')
    })
    const { status, body, headers } = await service.get('/')
    expect([status, body.includes('the fake query failed')]).toEqual([500, true])
    expect(Object.keys(headers)).not.toContain('x-is')
    expect(headers['content-encoding']).toBeUndefined()
    expect(service.driver.rows).toEqual([])
    await service.allIsBack(1)
  })

  it('when its error handler has the error, whose own queries are outside of it and stay', async () => {
    await service.start((app) => {
      app.setErrorHandler(async (_error, _request, reply) => {
        await insert('seen')
        return reply.code(418).send('teapot')
      })
      app.get('/', { config: { leasehold: { transaction: true } } }, async () => {
        await insert('a')
        throw failure
      })
    })
    expect(await service.get('/')).toMatchObject({ status: 418, body: 'teapot' })
    expect(service.driver.rows).toEqual(['seen'])
  })

  it('when the handler takes longer than its handlerTimeout: the client gets 503 in time', async () => {
    const goOn = new Gate()
    await start(
      async () => {
        await insert('a')
        await goOn.promise
        return 'late'
      },
      { handlerTimeout: 40 },
    )
    expect((await service.get('/')).status).toBe(503)
    await service.allIsBack(1)
    goOn.open()
    expect(service.driver.rows).toEqual([])
  })

  it('when its handlerTimeout comes in the middle of a statement, for whose end the client does not wait', async () => {
    await start(
      async () => {
        await insert('a')
        service.driver.script.next('query', 'slow')
        return insert('b')
      },
      { handlerTimeout: 150, pool: { closeGraceMs: 60_000 } },
    )
    expect((await service.get('/')).status).toBe(503)
    expect(service.driver.script.gatesOf('query')).toHaveLength(1)
    service.driver.script.open('query')
    await service.allIsBack(1)
    expect(service.driver.rows).toEqual([])
  })
})

describe('in a route with `transaction`', () => {
  it('a reply cannot be hijacked: that is an error which says what to do, and nothing is left', async () => {
    await start(async (_request, reply) => {
      await insert('a')
      reply.hijack()
      reply.raw.end('done')
    })
    const answer = await service.get('/')
    expect([answer.status, service.driver.rows]).toEqual([500, []])
    expect(answer.body).toMatch(/reply\.hijack\(\) .*pool\.transaction\(\) in the handler/)
  })

  it('what comes behind the answer is refused, so that it cannot stay by itself', async () => {
    const late: unknown[] = []
    await start(async (_request, reply) => {
      await insert('a')
      void reply.send('done')
      await new Promise(setImmediate)
      late.push(await insert('b').catch((error: { code?: string }) => error.code))
    })
    expect((await service.get('/')).body).toBe('done')
    await vi.waitFor(() => expect(late).toEqual(['LEASEHOLD_TRANSACTION_ENDED']))
    expect(service.driver.rows).toEqual(['a'])
  })

  it('a stream that fails before it is sent is answered with an error, and ends no process', async () => {
    await start(async (_request, reply) => {
      service.driver.script.next('query', 'slow')
      const stream = new Readable({ read() {} })
      setImmediate(() => stream.destroy(failure))
      return reply.send(stream)
    })
    const answer = service.get('/')
    await service.atGate()
    await new Promise(setImmediate)
    service.driver.script.open('query')
    expect((await answer).status).toBe(500)
  })

  it('the handler runs once more for each retry, and nothing of the answer before is left', async () => {
    let runs = 0
    await start(
      async (_request, reply) => {
        runs += 1
        await insert(`run-${runs}`)
        if (runs > 1) return 'done'
        await service.pool.use((client) => client.query('collide')).catch(() => {})
        return reply.code(500).header('x-run', runs).send('collided')
      },
      { route: { transaction: { retries: 1 } } },
    )
    const { status, body, headers } = await service.get('/')
    expect([status, body, headers['x-run']]).toEqual([200, 'done', undefined])
    expect(service.driver.rows).toEqual(['run-2'])
  })
})

describe('what is wrong with `transaction` is told', () => {
  it.each<[string, object, RegExp]>([
    [
      'of its options',
      { transaction: { isolation: 'strict', retrys: 1 } },
      /transaction\.isolation: .*transaction\.retrys: .*retries/,
    ],
    ['of what is none', { transaction: 'yes' }, /transaction: expected true, false, or an object/],
    [
      'of a pool that there is not',
      { transaction: { pool: 'reports' } },
      /pool: expected one of main, received "reports"/,
    ],
    ['of a route without a scope', { transaction: true, off: true }, /off: expected nothing else with it/],
  ])('when the route is declared: %s', async (_what, leasehold, message) => {
    const config = { leasehold }
    await service.start((app) => {
      const declare = (): unknown => app.get('/', { config }, async () => 'done')
      expect(declare).toThrow(expect.objectContaining({ code: 'LEASEHOLD_INVALID_OPTIONS' }))
      expect(declare).toThrow(message)
    })
  })

  it('by the first request where the route is older than the plugin: it never runs without', async () => {
    const config = { leasehold: { transaction: true } }
    let called = false
    await service.start(() => {}, {
      before: (app) => void app.get('/', { config }, async () => void (called = true)),
    })
    const answer = await service.get('/')
    expect([answer.status, called]).toEqual([500, false])
    expect(answer.body).toMatch(/before the plugin was loaded/)
  })

  it('nothing with `transaction: false`, which is as without', async () => {
    await start(async () => String(currentTransaction() === undefined), { route: { transaction: false } })
    expect((await service.get('/')).body).toBe('true')
  })
})
