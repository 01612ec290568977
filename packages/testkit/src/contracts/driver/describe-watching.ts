import { describe, expect, it } from 'vitest'
import type { DriverContract } from './driver-contract.js'

/** What a driver tells of its sessions, and when. */
export function describeWatching<Client>(contract: DriverContract<Client>): void {
  describe('watching', () => {
    it('tells that a statement runs, and that all is quiet before its caller knows', async () => {
      const { client, told } = await contract.open()

      const toldByThen = await contract.query(client, contract.harness.statements.ok).then(() => [...told])

      expect(toldByThen[0]).toMatch(/^busy/)
      expect(toldByThen.at(-1)).toBe('quiet idle')
      await contract.driver.close(client)
    })

    it('tells the text of a statement, or none', async () => {
      const { client, statements } = await contract.open()

      await contract.query(client, contract.harness.statements.ok)

      expect([contract.harness.statements.ok, undefined]).toContain(statements[0])
      await contract.driver.close(client)
    })

    it('tells before the caller of a refused statement knows that it is over, and then that all is quiet', async () => {
      const { client, told } = await contract.open()

      const toldByThen = await contract.query(client, contract.harness.statements.failing).then(
        () => ['it was not refused'],
        () => [...told],
      )

      expect(['settling', 'quiet idle']).toContain(toldByThen.at(-1))
      await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))
      await contract.driver.close(client)
    })

    it('tells with what error the server has refused a statement, before all is quiet, and of no other', async () => {
      const { client, told, failures } = await contract.open()
      await contract.query(client, contract.harness.statements.ok)
      expect(failures).toEqual([])

      const error = await contract.refusalOf(() => contract.query(client, contract.harness.statements.failing))
      await contract.soon(() => expect(told.at(-1)).toBe('quiet idle'))

      expect(failures).toHaveLength(1)
      expect(contract.driver.classify(failures[0])).toBe(contract.driver.classify(error))
      expect(told.indexOf('failed')).toBeLessThan(told.lastIndexOf('quiet idle'))
      await contract.driver.close(client)
    })

    it('tells that a transaction is open, and that it has failed', async () => {
      const { begin, failing } = contract.harness.statements
      const { client, told } = await contract.open()

      await contract.query(client, begin)
      expect(told.at(-1)).toBe('quiet open')

      await expect(contract.query(client, failing)).rejects.toBeInstanceOf(Error)
      await contract.soon(() => expect(told.at(-1)).toBe('quiet failed'))
      await contract.driver.close(client)
    })

    it('tells that an idle session was lost, and the process goes on', async () => {
      const { client, told } = await contract.open()

      await contract.harness.kill(client)

      await contract.soon(() => expect(told).toContain('lost'))
      await contract.driver.close(client)
      await contract.nothingIsOpen()
    })

    it('tells that a session was lost before the caller of the running statement knows', async () => {
      const { client, told } = await contract.open()
      const toldByThen = contract.query(client, contract.harness.statements.endless).then(
        () => ['it was answered'],
        () => [...told],
      )

      await contract.harness.kill(client)

      const last = (await toldByThen).at(-1)
      expect(['lost', 'settling']).toContain(last)
      await contract.soon(() => expect(told).toContain('lost'))
      await contract.driver.close(client)
      await contract.nothingIsOpen()
    })

    it('tells nothing more once it was stopped', async () => {
      const { client, told, stop } = await contract.open()

      stop()
      await contract.query(client, contract.harness.statements.ok)
      await contract.driver.close(client)

      expect(told).toEqual([])
    })
  })
}
