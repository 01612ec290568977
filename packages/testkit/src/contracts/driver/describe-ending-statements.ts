import { expect } from 'vitest'
import type { DriverContract } from './driver-contract.js'

/** How statements that still run are ended. */
export function describeEndingStatements<Client>(contract: DriverContract<Client>): void {
  const never = new AbortController().signal

  contract.about(['quiesce', 'cancel'], 'ending what runs', () => {
    contract.offered('quiesce', 'quiesce ends a statement, and the next one gets its own answer', async (driver) => {
      const { client, told } = await contract.open()
      const running = contract.startEndless(client)

      await driver.quiesce(client, never)

      await expect(running).rejects.toBeInstanceOf(Error)
      expect(told.at(-1)).toBe('quiet idle')
      await contract.query(client, contract.harness.statements.ok)
      await driver.close(client)
      await contract.nothingIsOpen()
    })

    contract.offered('quiesce', 'quiesce leaves a quiet session as it is', async (driver) => {
      const { client } = await contract.open()

      await driver.quiesce(client, never)
      await contract.query(client, contract.harness.statements.ok)
      await driver.close(client)
    })

    contract.offered('quiesce', 'quiesce rejects when the session dies meanwhile', async (driver) => {
      const { client, told } = await contract.open()
      contract.startEndless(client).catch(() => {})
      await contract.harness.kill(client)
      await contract.soon(() => expect(told).toContain('lost'))

      await expect(driver.quiesce(client, never)).rejects.toBeInstanceOf(Error)
      await driver.close(client)
    })

    contract.offered('cancel', 'cancel ends a statement and keeps the session', async (driver) => {
      const { client, told } = await contract.open()
      const running = contract.startEndless(client)

      await driver.cancel(client)

      await expect(running).rejects.toBeInstanceOf(Error)
      await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
      await contract.query(client, contract.harness.statements.ok)
      await driver.close(client)
      await contract.nothingIsOpen()
    })
  })

  contract.about('interrupt', 'interrupting', () => {
    contract.offered(
      'interrupt',
      'interrupt fails what runs for a lease with the error that it was given, and the session goes on',
      async (driver) => {
        const { client, told } = await contract.open()
        const { handle, gate } = contract.handleOf(client)
        const reason = new Error('its scope has ended')
        const running = contract.startEndless(handle)

        expect(driver.interrupt(client, gate, reason)).toBe(true)

        await expect(running).rejects.toBe(reason)
        await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
        await driver.close(client)
        await contract.nothingIsOpen()
      },
    )

    contract.offered('interrupt', 'interrupt without a lease fails whatever runs', async (driver) => {
      const { client, told } = await contract.open()
      const reason = new Error('it ran for too long')
      const running = contract.startEndless(contract.handleOf(client).handle)

      driver.interrupt(client, undefined, reason)

      await expect(running).rejects.toBe(reason)
      await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
      await driver.close(client)
    })

    contract.offered(
      'interrupt',
      'interrupt hits nothing that comes after it: once all is quiet, the next statement gets its own answer',
      async (driver) => {
        const { client, told } = await contract.open()
        const { handle, gate } = contract.handleOf(client)
        contract.startEndless(handle).catch(() => {})
        driver.interrupt(client, gate, new Error('its scope has ended'))

        await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))

        for (let count = 0; count < 5; count += 1) await contract.query(handle, contract.harness.statements.ok)
        await driver.close(client)
      },
    )

    contract.offered(
      ['interrupt', 'lend'],
      'interrupt fails those of the lease that wait behind the one that runs',
      async (driver) => {
        const { client, told } = await contract.open()
        const { handle, gate } = contract.handleOf(client)
        const reason = new Error('its scope has ended')
        const running = contract.startEndless(handle)
        const behind = contract.query(handle, contract.harness.statements.ok)
        behind.catch(() => {})

        driver.interrupt(client, gate, reason)

        await expect(running).rejects.toBe(reason)
        await expect(behind).rejects.toBe(reason)
        await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
        await driver.close(client)
      },
    )

    contract.offered(['interrupt', 'lend'], 'interrupt lets the statement of another lease be', async (driver) => {
      const { client, told } = await contract.open()
      const mine = contract.handleOf(client)
      const other = contract.handleOf(client, mine.gate)
      const running = contract.startEndless(other.handle)

      driver.interrupt(client, mine.gate, new Error('its scope has ended'))
      const reason = new Error('and this one is meant')
      driver.interrupt(client, other.gate, reason)

      await expect(running).rejects.toBe(reason)
      await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
      await driver.close(client)
    })

    contract.offered(
      'interrupt',
      'interrupt lets be what begins or ends a transaction: whoever sent it must learn what became of it',
      async (driver) => {
        const { client } = await contract.open()
        const { handle, gate } = contract.handleOf(client)
        const running = contract.query(handle, contract.harness.statements.slowControl)

        expect(driver.interrupt(client, gate, new Error('its scope has ended'))).toBe(false)

        await running
        await driver.close(client)
      },
    )

    contract.offered('interrupt', 'interrupt of a statement in a transaction leaves that failed', async (driver) => {
      const { client, told } = await contract.open()
      const { handle, gate } = contract.handleOf(client)
      await contract.query(handle, contract.harness.statements.begin)
      const running = contract.startEndless(handle)

      driver.interrupt(client, gate, new Error('it ran for too long'))

      await expect(running).rejects.toThrow('it ran for too long')
      await contract.soon(() => expect(told.at(-1)).toBe('quiet failed'))
      await driver.close(client)
    })

    contract.offered('interrupt', 'interrupt leaves a quiet session as it is', async (driver) => {
      const { client, told } = await contract.open()
      const { handle, gate } = contract.handleOf(client)

      expect(driver.interrupt(client, gate, new Error('its scope has ended'))).toBe(false)

      expect(told).toEqual([])
      await contract.query(handle, contract.harness.statements.ok)
      await driver.close(client)
    })
  })
}
