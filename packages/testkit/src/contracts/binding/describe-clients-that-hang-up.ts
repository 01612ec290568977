import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { Gate } from '../../gate.js'
import type { BindingContract } from './binding-contract.js'

/** What becomes of a request that nobody waits for any more. */
export function describeClientsThatHangUp(contract: BindingContract): void {
  describe('clients that hang up', () => {
    it('closes the scope when the client hangs up while the handler waits for the database', async () => {
      await contract.start(async ({ reply }) => {
        contract.driver.script.next('query', 'never')
        await contract.pool.use((client) => client.query('select'))
        reply(200, 'never sent')
      })
      const sent = contract.send()
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await contract.allIsBack()
    })

    it('cancels what runs when the client hangs up, and the handler learns of it at once', async () => {
      const outcomes: unknown[] = []
      await contract.start(
        async () => {
          contract.driver.script.next('query', 'never')
          await contract.pool.use((client) => client.query('select')).catch((error: unknown) => outcomes.push(error))
        },
        { closeGraceMs: 60_000 },
      )
      const sent = contract.send()
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await contract.allIsBack()
      expect(outcomes).toMatchObject([{ code: 'LEASEHOLD_ABORTED', phase: 'statement', why: 'closed' }])
      expect(contract.driver.countOf('interrupt')).toBe(1)
    })

    it('closes the scope when the client hangs up while the handler waits for a connection', async () => {
      const outcomes: unknown[] = []
      await contract.start(
        async ({ reply }) => {
          outcomes.push(await contract.pool.acquire().catch((error: { code?: unknown }) => error.code))
          reply(200, 'never sent')
        },
        { max: 1 },
      )
      const lease = await contract.pool.acquire()
      const sent = contract.send()
      await vi.waitFor(() => expect(contract.pool.snapshot().waiting.count).toBe(1))

      sent.destroy()

      await vi.waitFor(() => expect(outcomes).toEqual(['LEASEHOLD_SCOPE_CLOSED']))
      lease.release()
      await contract.allIsBack()
    })

    it('closes the scope when the client hangs up on a POST whose body was read', async () => {
      const held = new Gate()
      await contract.start(async ({ reply }) => {
        await contract.pool.acquire()
        await held.promise
        reply(200, 'never sent')
      })
      const sent = contract.send('POST', '/orders/7', 'an order')
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await contract.allIsBack()
      held.open()
    })

    it('closes the scope when the client hangs up with a second request in the pipe', async () => {
      const held = new Gate()
      await contract.start(async () => {
        await contract.pool.acquire()
        await held.promise
      })
      const socket = contract.connect()
      socket.write(['1', '2'].map((order) => `GET /orders/${order} HTTP/1.1\r\nhost: here\r\n\r\n`).join(''))
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(2))

      socket.destroy()

      await contract.allIsBack(2)
      held.open()
    })

    it('closes the scope when the client hangs up in the middle of a stream', async () => {
      await contract.start(async ({ stream }) => {
        await contract.pool.acquire()
        const body = stream()
        body.on('error', () => {})
        body.write('the first of many rows')
      })
      const sent = contract.send()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.on('error', () => {})
      await once(response, 'data')
      expect(contract.pool.snapshot().connections.lent).toBe(1)

      sent.destroy()

      await contract.allIsBack()
    })

    it('closes the scope when the server’s own timeout ends the request', async () => {
      const held = new Gate()
      await contract.start(
        async ({ reply }) => {
          await contract.pool.acquire()
          await held.promise
          reply(200, 'never sent')
        },
        {},
        { idleTimeoutMs: 50 },
      )
      const sent = contract.send()

      await new Promise((resolve) => sent.on('close', resolve))

      await contract.allIsBack()
      held.open()
    })

    it('closes the scope of a handler that hangs for ever, once its client has gone', async () => {
      await contract.start(async ({ stream }) => {
        await contract.pool.acquire()
        stream().write('and then nothing')
        await new Gate().promise
      })
      const sent = contract.send()
      await vi.waitFor(() => expect(contract.pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await contract.allIsBack()
    })
  })
}
