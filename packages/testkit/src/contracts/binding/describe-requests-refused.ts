import { describe, expect, it } from 'vitest'
import type { BindingContract } from './binding-contract.js'

/** What a client learns when the pool has no connection for its request. */
export function describeRequestsRefused(contract: BindingContract): void {
  describe('requests that are refused', () => {
    it('answers 503 and when to come back, where a handler lets a timeout of the pool pass', async () => {
      await contract.start(
        async ({ reply }) => {
          await contract.pool.use((client) => client.query('select'))
          reply(200, 'done')
        },
        { max: 1, acquireTimeoutMs: 20 },
      )
      const lease = await contract.pool.acquire()

      const { status, headers } = await contract.answerTo(contract.send())

      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
      lease.release()
      await contract.allIsBack()
    })

    it('answers 503 and when to come back to requests that are shed', async () => {
      await contract.start(
        async ({ reply }) => {
          await contract.pool.use(() => new Promise((resolve) => setTimeout(resolve, 20)))
          reply(200, 'done')
        },
        { max: 1, queueDelay: { targetMs: 5, intervalMs: 20 } },
      )
      const answers: Array<ReturnType<typeof contract.answerTo>> = []
      for (let count = 0; count < 60; count += 1) {
        answers.push(contract.answerTo(contract.send()))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }

      const all = await Promise.all(answers)

      const shed = all.filter(({ status }) => status === 503)
      expect(shed.length).toBeGreaterThan(0)
      expect(shed.every(({ headers }) => Number(headers['retry-after']) >= 1)).toBe(true)
      expect(all.filter(({ status }) => status === 200).length).toBe(all.length - shed.length)
      expect(contract.pool.snapshot().counts.shed).toBe(shed.length)
      await contract.allIsBack(60)
    })

    it('answers 503 as well when the pool’s error comes wrapped in an ORM’s', async () => {
      await contract.start(
        async () => {
          await contract.pool.acquire().catch((cause: unknown) => {
            throw new Error('query failed', { cause })
          })
        },
        { max: 1, acquireTimeoutMs: 20 },
      )
      const lease = await contract.pool.acquire()

      expect((await contract.answerTo(contract.send())).status).toBe(503)
      lease.release()
      await contract.allIsBack()
    })
  })
}
