import type { DeclaredTransaction } from '@leasehold/core'
import { describe, expect, it, vi } from 'vitest'
import { Gate } from '../../gate.js'
import type { BindingContract } from './binding-contract.js'
import type { BindingRoute, BindingServerOptions } from './binding-contract-harness.js'

/** What becomes of a request whose handler runs in a transaction. */
export function describeRequestsInTransactions(contract: BindingContract): void {
  const insert = (row: string): Promise<string> => contract.pool.use((client) => client.query(`insert ${row}`))
  const start = (
    handler: BindingRoute['handler'],
    options: BindingServerOptions & { readonly transaction?: DeclaredTransaction } = {},
  ): Promise<void> => contract.start(handler, { max: 1 }, { transaction: {}, ...options })

  describe('a handler in a transaction', () => {
    it('is committed before its client has the answer', async () => {
      await start(async ({ reply }) => {
        await insert('a')
        // The next statement is the commit.
        contract.driver.script.next('query', 'slow')
        reply(200, 'done')
      })
      let answered = false
      const answer = contract.answerTo(contract.send()).finally(() => (answered = true))
      await vi.waitFor(() => expect(contract.driver.script.gatesOf('query')).toHaveLength(1))
      expect([answered, contract.driver.rows]).toEqual([false, []])

      contract.driver.script.open('query')

      expect(await answer).toMatchObject({ status: 200, body: 'done' })
      expect(contract.driver.rows).toEqual(['a'])
      await contract.allIsBack()
      expect(contract.pool.snapshot().counts.leaks['left-over']).toBe(0)
    })

    it('is rolled back when it throws', async () => {
      await start(async () => {
        await insert('a')
        throw new Error('of the handler')
      })

      expect(await contract.answerTo(contract.send())).toMatchObject({ status: 500 })
      expect(contract.driver.rows).toEqual([])
      await contract.allIsBack()
    })

    it('is answered with an error when its commit fails, though it had answered', async () => {
      await start(async ({ reply }) => {
        await insert('a')
        contract.driver.script.next('query', 'error')
        reply(200, 'done')
      })

      const { status, body } = await contract.answerTo(contract.send())

      expect([status, body === 'done']).toEqual([500, false])
      expect(contract.driver.rows).toEqual([])
      await contract.allIsBack()
    })

    it('is not even called when no connection could be had, and its client gets 503', async () => {
      let called = false
      await contract.start(() => void (called = true), { max: 1, maxWaiting: 0 }, { transaction: {} })
      const lease = await contract.pool.acquire()

      expect((await contract.answerTo(contract.send())).status).toBe(503)
      expect(called).toBe(false)
      lease.release()
    })

    it('is rolled back when its client hangs up, though it goes on and answers', async () => {
      const [begun, goOn, ended] = [new Gate(), new Gate(), new Gate()]
      await start(async ({ reply }) => {
        await insert('a')
        begun.open()
        await goOn.promise
        reply(200, 'done')
        ended.open()
      })
      const sent = contract.send()
      await begun.promise

      sent.destroy()

      await contract.allIsBack()
      goOn.open()
      await ended.promise
      expect(contract.driver.rows).toEqual([])
    })

    it('is rolled back when the server’s own timeout ends the request', async () => {
      await start(async () => (await insert('a'), new Promise(() => {})), { idleTimeoutMs: 50 })
      const sent = contract.send()

      await new Promise((resolve) => sent.on('close', resolve))

      await contract.allIsBack()
      expect(contract.driver.rows).toEqual([])
    })

    it.each<[string, Parameters<typeof start>[1]]>([
      ['the deadline of its scope', { deadlineMs: 150 }],
      ['its own timeoutMs', { transaction: { timeoutMs: 150 } }],
    ])('is rolled back when it takes longer than %s, and its client gets 503', async (_what, options) => {
      await start(async () => (await insert('a'), new Promise(() => {})), options)

      const { status, headers, body } = await contract.answerTo(contract.send())

      expect([status, headers['retry-after']]).toEqual([503, '1'])
      expect(body).toContain('LEASEHOLD_TRANSACTION_ENDED')
      expect(contract.driver.rows).toEqual([])
      await contract.allIsBack()
    })

    it('runs once more for each retry, and nothing of the answer before is left', async () => {
      let runs = 0
      await start(
        async ({ reply }) => {
          runs += 1
          await insert(`run-${runs}`)
          reply(runs === 1 ? 201 : 200, `run ${runs}`)
          if (runs === 1) await contract.pool.use((client) => client.query('collide'))
        },
        { transaction: { retries: 1 } },
      )

      expect(await contract.answerTo(contract.send())).toMatchObject({ status: 200, body: 'run 2' })
      expect(contract.driver.rows).toEqual(['run-2'])
    })
  })
}
