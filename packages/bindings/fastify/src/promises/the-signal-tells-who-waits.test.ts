import { once } from 'node:events'
import { Gate } from '@leasehold/testkit'
import { describe, expect, it, vi } from 'vitest'
import { useService } from './use-service.js'

describe('request.leasehold.signal', () => {
  const service = useService()

  it('is not aborted in the handler of a POST whose body has been read, nor after its answer', async () => {
    const signals: AbortSignal[] = []
    await service.start((app) =>
      app.post('/', async (request) => {
        signals.push(request.leasehold.signal)
        await once(request.raw, 'close')
        return `${request.leasehold.signal.aborted}`
      }),
    )

    expect((await service.answerTo(service.send('/', { method: 'POST', body: 'an order' }))).body).toBe('false')

    await service.allIsBack(1)
    expect(signals[0]?.aborted).toBe(false)
    expect(service.scopes[0]?.signal.aborted).toBe(true)
  })

  it('is not aborted after the answer to an injected request', async () => {
    const signals: AbortSignal[] = []
    await service.start((app) =>
      app.get('/', (request) => {
        signals.push(request.leasehold.signal)
        return 'answered'
      }),
    )
    await service.app.inject('/')
    await vi.waitFor(() => expect(service.scopes[0]?.isOpen).toBe(false))
    expect(signals[0]?.aborted).toBe(false)
  })

  it('aborts when the client hangs up on a POST whose body has been read, and says why', async () => {
    const reasons: unknown[] = []
    await service.start((app) =>
      app.post('/orders/:id', async (request) => {
        const { signal } = request.leasehold
        await once(signal, 'abort')
        reasons.push(signal.reason, request.leasehold.scope.signal.reason)
        return 'never sent'
      }),
    )
    const sent = service.send('/orders/7', { method: 'POST', body: 'an order' })
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))

    sent.destroy()

    await vi.waitFor(() => expect(reasons).toHaveLength(2))
    expect(reasons[0]).toMatchObject({
      name: 'AbortError',
      message: 'the response to POST /orders/:id closed before the answer was finished',
    })
    expect(reasons[1]).toBe(reasons[0])
  })

  it('is aborted for whoever asks only after the client has gone', async () => {
    const gone = new Gate()
    const seen: boolean[] = []
    await service.start((app) =>
      app.get('/', async (request) => {
        await gone.promise
        seen.push(request.leasehold.signal.aborted)
      }),
    )
    const sent = service.send('/')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))
    sent.destroy()
    await service.allIsBack(1)

    gone.open()

    await vi.waitFor(() => expect(seen).toEqual([true]))
  })

  it('is the same signal each time', async () => {
    await service.start((app) =>
      app.get('/', async ({ leasehold }) => `${leasehold.signal === leasehold.signal} ${leasehold.signal.aborted}`),
    )

    expect((await service.get('/')).body).toBe('true false')
  })
})
