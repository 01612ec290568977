import { currentScope } from '@leasehold/core'
import { describe, expect, it, vi } from 'vitest'
import { Gate } from '../../gate.js'
import type { BindingContract } from './binding-contract.js'

/** How a request and its scope belong together. */
export function describeScopesOfRequests(contract: BindingContract): void {
  describe('scopes of requests', () => {
    it('opens a scope named after method and route, in which nothing is borrowed before the first query', async () => {
      await contract.start(({ reply }) =>
        reply(200, `${currentScope()?.label}, ${contract.pool.snapshot().connections.total} open`),
      )

      expect(await contract.answerTo(contract.send())).toMatchObject({ status: 200, body: 'GET /orders/:id, 0 open' })
      await contract.allIsBack()
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('no such route')
        },
      ],
      ['says nothing', () => ''],
    ])('uses its own names where the function that was to name the route %s', async (_what, label) => {
      await contract.start(({ reply }) => reply(200, `${currentScope()?.label}`), {}, { label })

      expect(await contract.answerTo(contract.send())).toMatchObject({ status: 200, body: 'GET /orders/:id' })
      await contract.allIsBack()
    })

    it('closes the scope after a normal reply, whose signal then aborts', async () => {
      const signals: AbortSignal[] = []
      await contract.start(async ({ signal, reply }) => {
        signals.push(signal)
        await contract.pool.use((client) => client.query('select'))
        expect(signal.aborted).toBe(false)
        reply(200, 'done')
      })

      expect(await contract.answerTo(contract.send())).toMatchObject({ status: 200, body: 'done' })
      await contract.allIsBack()
      await vi.waitFor(() => expect(signals.map((signal) => signal.aborted)).toEqual([true]))
    })

    it('declares for each request its own settings, which are asked for at its first lease', async () => {
      const asked: unknown[] = []
      await contract.start(
        async ({ reply }) => {
          const before = asked.length
          await contract.pool.use((client) => client.query('first'))
          await contract.pool.use((client) => client.query('second'))
          currentScope()?.set({ role: 'reader' })
          await contract.pool.use((client) => client.query('third'))
          reply(200, `${asked.length - before}`)
        },
        { max: 1, requireSettings: ['app.tenant_id'] },
        {
          settings: ({ headers }) => {
            asked.push(headers['x-tenant'])
            return { 'app.tenant_id': String(headers['x-tenant']) }
          },
        },
      )

      for (const tenant of ['1', '2'])
        expect((await contract.answerTo(contract.send('GET', '/orders/7', undefined, tenant))).body).toBe('1')

      expect(asked).toEqual(['1', '2'])
      const ran = contract.driver.sessions.flatMap(({ settings }) =>
        settings.ran.map((statement) => statement.settings),
      )
      expect(ran).toEqual(
        ['1', '2'].flatMap((tenant) => {
          const own = { 'app.tenant_id': tenant }
          return [own, own, { ...own, role: 'reader' }]
        }),
      )
    })

    it('takes back what a handler forgot to release', async () => {
      await contract.start(async ({ reply }) => {
        await contract.pool.acquire()
        reply(200, 'done')
      })

      await contract.answerTo(contract.send())

      await contract.allIsBack()
      expect(contract.pool.snapshot().counts.leaks['left-over']).toBe(1)
    })

    it('keeps the scope through the reading of a body', async () => {
      await contract.start(async ({ body, reply }) => {
        await contract.pool.use((client) => client.query('insert'))
        reply(201, `${body} in ${currentScope()?.label}`)
      })

      expect(await contract.answerTo(contract.send('POST', '/orders/7', 'an order'))).toMatchObject({
        status: 201,
        body: 'an order in POST /orders/:id',
      })
      await contract.allIsBack()
    })

    it('closes the scope of a handler that throws, and the framework answers as it always does', async () => {
      await contract.start(async () => {
        await contract.pool.acquire()
        throw new Error('of the handler')
      })

      expect((await contract.answerTo(contract.send())).status).toBe(500)
      await contract.allIsBack()
    })

    it('leaves nothing behind for a route that does not exist', async () => {
      await contract.start(({ reply }) => reply(200, 'done'))

      expect((await contract.answerTo(contract.send('GET', '/nowhere'))).status).toBe(404)
      await contract.allIsBack(0)
    })

    it('keeps the scope open until a stream has ended', async () => {
      const rest = new Gate()
      await contract.start(async ({ stream }) => {
        const lease = await contract.pool.acquire()
        const body = stream()
        body.write('first,')
        await rest.promise
        body.end(await lease.client.query('last'))
      })
      const answer = contract.answerTo(contract.send())
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(1))
      rest.open()

      expect(await answer).toMatchObject({ status: 200, body: 'first,last on 1' })
      await contract.allIsBack()
    })

    it('lends to work after the response outside the scope, which it cannot hold open', async () => {
      const after: Gate<string> = new Gate()
      const answered = new Gate()
      await contract.start(async ({ reply }) => {
        reply(200, 'done')
        await answered.promise
        after.open(await contract.pool.use((client) => client.query('audit')))
      })
      const late: string[] = []
      contract.pool.on('late-acquire', ({ label }) => late.push(label))

      await contract.answerTo(contract.send())
      await contract.allIsBack()
      answered.open()

      expect(await after.promise).toMatch(/^audit on/)
      await contract.allIsBack()
      expect(contract.pool.snapshot().counts.lateAcquires).toBe(1)
    })

    it('gives each of many requests at a time a scope of its own', async () => {
      await contract.start(async ({ body, reply }) => {
        const scope = currentScope()
        const answers = await Promise.all([1, 2].map(() => contract.pool.use((client) => client.query('select'))))
        reply(200, `${body} ${answers.length} ${scope === currentScope()}`)
      })

      const bodies = await Promise.all(
        Array.from(
          { length: 20 },
          async (_, number) => (await contract.answerTo(contract.send('POST', '/orders/7', `${number}`))).body,
        ),
      )

      expect(bodies).toEqual(Array.from({ length: 20 }, (_, number) => `${number} 2 true`))
      await contract.allIsBack(20)
      expect(new Set(contract.scopes).size).toBe(20)
      expect(contract.pool.snapshot().connections.peak).toBeLessThanOrEqual(3)
    })
  })
}
