import type { SettingsDifference } from '@leasehold/core'
import { expect } from 'vitest'
import type { DriverContract } from './driver-contract.js'

const NOTHING: SettingsDifference = { set: [], clear: [], keep: [] }

/** How settings that an owner declares reach his statements. */
export function describeDeclaredSettings<Client>(contract: DriverContract<Client>): void {
  const taken = (): SettingsDifference => ({ ...NOTHING, set: [contract.harness.settings.taken] })
  const refused = (): SettingsDifference => ({ ...NOTHING, set: [contract.harness.settings.refused] })

  contract.about('declare', 'declaring settings', () => {
    contract.offered('declare', 'declare sends nothing by itself', async (driver) => {
      const { client, told } = await contract.open()

      driver.declare(client, taken())

      expect(told).toEqual([])
      await driver.close(client)
    })

    contract.offered(
      'declare',
      'the next statement runs with what was declared, and that it was made is told before its caller knows, or never',
      async (driver) => {
        const { settings } = contract.harness
        const { client, told } = await contract.open()
        const { handle } = contract.handleOf(client)

        driver.declare(client, taken())
        let toldByThen: readonly string[] = []
        const value = await settings.read(handle).finally(() => (toldByThen = [...told]))

        expect(value).toBe(settings.taken[1])
        expect([0, 1]).toContain(toldByThen.filter((event) => event === 'declared').length)
        expect(toldByThen.at(-1)).toBe('quiet idle')
        expect(await settings.read(handle)).toBe(settings.taken[1])
        await driver.close(client)
      },
    )

    contract.offered(
      'declare',
      'a statement does not run where its settings are refused, and the session goes on',
      async (driver) => {
        const { statements } = contract.harness
        const { client, told } = await contract.open()
        const { handle } = contract.handleOf(client)

        driver.declare(client, refused())
        const refusal = await contract.refusalOf(() => contract.query(handle, statements.write('without-settings')))

        expect(refusal).toBeInstanceOf(Error)
        await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
        expect(told).not.toContain('declared')
        expect(await contract.harness.rows()).not.toContain('without-settings')
        driver.declare(client, NOTHING)
        await contract.query(handle, statements.ok)
        await driver.close(client)
      },
    )

    contract.offered('declare', 'a statement that fails does not undo them unseen', async (driver) => {
      const { settings, statements } = contract.harness
      const { client } = await contract.open()
      const { handle } = contract.handleOf(client)

      driver.declare(client, taken())
      await contract.refusalOf(() => contract.query(handle, statements.failing))

      expect(await settings.read(handle)).toBe(settings.taken[1])
      await driver.close(client)
    })

    contract.offered('declare', 'nor does the rollback of a transaction that was begun with them', async (driver) => {
      const { settings, statements } = contract.harness
      const { client } = await contract.open()
      const { handle } = contract.handleOf(client)

      driver.declare(client, taken())
      await contract.query(handle, statements.begin)
      expect(await settings.read(handle)).toBe(settings.taken[1])
      await contract.query(handle, statements.rollback)

      expect(await settings.read(handle)).toBe(settings.taken[1])
      await driver.close(client)
    })

    contract.offered('declare', 'what was not made yet is forgotten for what is declared after it', async (driver) => {
      const { settings } = contract.harness
      const { client, told } = await contract.open()
      const { handle } = contract.handleOf(client)

      driver.declare(client, refused())
      driver.declare(client, taken())
      driver.declare(client, NOTHING)

      expect(await settings.read(handle)).not.toBe(settings.taken[1])
      expect(told).not.toContain('declared')
      await driver.close(client)
    })

    contract.offered('declare', 'what is cleared is as it was before anybody declared it', async (driver) => {
      const { settings } = contract.harness
      const { client } = await contract.open()
      const { handle } = contract.handleOf(client)
      driver.declare(client, taken())
      await settings.read(handle)

      driver.declare(client, { ...NOTHING, clear: [settings.taken[0]] })

      expect(await settings.read(handle)).not.toBe(settings.taken[1])
      await driver.close(client)
    })

    contract.offered('declare', 'declare does not throw on a dead session', async (driver) => {
      const { client, told } = await contract.open()
      await contract.harness.kill(client)
      await contract.soon(() => expect(told).toContain('lost'))

      driver.declare(client, taken())
      await driver.close(client)
    })
  })
}
