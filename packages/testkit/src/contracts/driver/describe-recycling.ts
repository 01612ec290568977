import { describe, expect, it } from 'vitest'
import type { DriverContract } from './driver-contract.js'

/** What a session goes through between two owners. */
export function describeRecycling<Client>(contract: DriverContract<Client>): void {
  const never = new AbortController().signal

  describe('a lost session', () => {
    it('fails its check and its reset', async () => {
      const { driver, harness } = contract
      const { client, told, ledger } = await contract.open()
      await harness.kill(client)
      await contract.soon(() => expect(told).toContain('lost'))

      await expect(driver.check(client)).rejects.toBeInstanceOf(Error)
      await expect(driver.reset(client, ledger())).rejects.toBeInstanceOf(Error)
      await driver.close(client)
    })
  })

  describe('resetting', () => {
    it.each(['open', 'failed'] as const)('ends a transaction that was left %s', async (left) => {
      const { driver, harness } = contract
      const { client, told, ledger } = await contract.open()
      await contract.query(client, harness.statements.begin)
      if (left === 'failed') await contract.query(client, harness.statements.failing).catch(() => {})
      await contract.soon(() => expect(told.at(-1)).toBe(`quiet ${left}`))

      await driver.reset(client, ledger())

      expect(told.at(-1)).toBe('quiet idle')
      await contract.query(client, harness.statements.ok)
      expect(told.at(-1)).toBe('quiet idle')
      await driver.close(client)
    })
  })

  contract.about('truth', 'asking for the truth', () => {
    contract.offered('truth', 'truth tells what a statement has left on the session', async (driver) => {
      const { text, kind, name } = contract.harness.statements.leaving
      const { client } = await contract.open()
      const before = await driver.truth(client, [], never)

      await contract.query(client, text)
      const after = await driver.truth(client, [], never)

      expect(before.filter((fact) => fact.kind === kind && fact.name === name)).toEqual([])
      expect(after.filter((fact) => fact.kind === kind && fact.name === name)).toHaveLength(1)
      await driver.close(client)
    })

    contract.offered('truth', 'truth leaves the session as it is, and books nothing', async (driver) => {
      const { client, told, bookings, statements } = await contract.open()
      await contract.query(client, contract.harness.statements.leaving.text)
      const [booked, sent] = [bookings.length, statements.length]

      const first = await driver.truth(client, [], never)
      const second = await driver.truth(client, [], never)

      expect(second).toEqual(first)
      expect(bookings).toHaveLength(booked)
      expect(statements.slice(sent)).not.toContain(contract.harness.statements.leaving.text)
      expect(told.at(-1)).toBe('quiet idle')
      await driver.close(client)
    })

    contract.offered('truth', 'truth tells of an open transaction, and leaves it open', async (driver) => {
      const { client, told } = await contract.open()
      await contract.query(client, contract.harness.statements.begin)

      const facts = await driver.truth(client, [], never)

      expect(facts.map(({ kind }) => kind)).toContain('transaction')
      expect(told.at(-1)).toBe('quiet open')
      await driver.close(client)
    })

    contract.offered('truth', 'truth rejects when the session is dead', async (driver) => {
      const { client, told } = await contract.open()
      await contract.harness.kill(client)
      await contract.soon(() => expect(told).toContain('lost'))

      await expect(driver.truth(client, [], never)).rejects.toBeInstanceOf(Error)
      await driver.close(client)
    })
  })
}
