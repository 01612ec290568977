import { expect } from 'vitest'
import type { DriverContract } from './driver-contract.js'

/** What the handle of one lease does, and what it does no more once the lease is over. */
export function describeFencedHandles<Client>(contract: DriverContract<Client>): void {
  contract.about('lend', 'a fenced handle', () => {
    contract.offered(
      'lend',
      'works on its session while the lease lasts, and asks the gate before anything is sent',
      async (driver) => {
        const { client, told } = await contract.open()
        const { handle, gate } = contract.handleOf(client)

        await contract.query(handle, contract.harness.statements.ok)

        expect(gate.asked[0]).toMatch(/^pass/)
        expect(told.at(-1)).toBe('quiet idle')
        await driver.close(client)
      },
    )

    contract.offered('lend', 'sends nothing once the lease is over, and says so', async (driver) => {
      const { client, told } = await contract.open()
      const { handle, gate } = contract.handleOf(client)

      gate.end()

      const refusal = await contract.refusalOf(() => contract.query(handle, contract.harness.statements.ok))
      expect(refusal).toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
      expect(told).toEqual([])
      await driver.close(client)
    })

    contract.offered(
      'lend',
      'is another one for each lease, and an old one stays shut while the new one works',
      async (driver) => {
        const { ok } = contract.harness.statements
        const { client } = await contract.open()
        const old = contract.handleOf(client)
        old.gate.end()
        const current = contract.handleOf(client)

        expect(current.handle).not.toBe(old.handle)
        await contract.query(current.handle, ok)
        const refusal = await contract.refusalOf(() => contract.query(old.handle, ok))
        expect(refusal).toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
        await driver.close(client)
      },
    )

    contract.offered('lend', 'refuses a transaction in statement mode before it is sent', async (driver) => {
      const { begin, ok } = contract.harness.statements
      const { client, told } = await contract.open()
      const { handle } = contract.handleOf(client, undefined, 'statement')

      const refusal = await contract.refusalOf(() => contract.query(handle, begin))

      expect(refusal).toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
      expect(told).toEqual([])
      await contract.query(handle, ok)
      await driver.close(client)
    })
  })
}
