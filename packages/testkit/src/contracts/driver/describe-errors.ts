import { describe, expect, it } from 'vitest'
import type { DriverContract } from './driver-contract.js'

const KINDS = ['query', 'transient', 'saturated', 'read-only', 'denied', 'fatal']

/** What a driver makes of the errors of its server. */
export function describeErrors<Client>(contract: DriverContract<Client>): void {
  const never = new AbortController().signal

  describe('classifying', () => {
    it('takes the error of a statement as its own, which costs no connection', async () => {
      const { driver, harness } = contract
      const client = await driver.connect(never)
      const error = await contract.refusalOf(() => contract.query(client, harness.statements.failing))

      expect(driver.classify(error)).toBe('query')
      await driver.check(client)
      await driver.close(client)
    })

    it('knows a write that the server refuses because it only reads', async () => {
      const { readOnly, statements } = contract.harness
      const client = await readOnly.connect(never)
      const error = await contract.refusalOf(() => contract.query(client, statements.write('never-written')))

      expect(readOnly.classify(error)).toBe('read-only')
      expect(await contract.harness.rows()).not.toContain('never-written')
      await readOnly.close(client)
    })

    it.each([undefined, null, 'text', 5, {}, new Error('of somebody else')])(
      'has a word for everything: %o',
      (error) => {
        expect(KINDS).toContain(contract.driver.classify(error))
      },
    )

    contract.offered('redact', 'redact takes every literal out of a statement', (driver) => {
      const { text, literals } = contract.harness.statements.withLiterals

      const redacted = driver.redact(text)

      for (const literal of literals) expect(redacted).not.toContain(literal)
    })
  })

  contract.about('isShutdown', 'a server that goes away', () => {
    contract.offered('isShutdown', 'isShutdown knows it by what an idle session is lost by', async (driver) => {
      const { client, lostBy } = await contract.open()

      await contract.harness.shutDown(client)

      await contract.soon(() => expect(lostBy()).toBeInstanceOf(Error))
      expect(driver.isShutdown(lostBy())).toBe(true)
      await driver.close(client)
    })

    contract.offered('isShutdown', 'isShutdown knows it by what a busy session is lost by', async (driver) => {
      const { client, lostBy } = await contract.open()
      contract.startEndless(client).catch(() => {})

      await contract.harness.shutDown(client)

      await contract.soon(() => expect(lostBy()).toBeInstanceOf(Error))
      expect(driver.isShutdown(lostBy())).toBe(true)
      await driver.close(client)
    })

    contract.offered(
      'isShutdown',
      'isShutdown takes neither the error of a statement for it, nor a refused connection, nor anything else',
      async (driver) => {
        const { harness } = contract
        const client = await driver.connect(never)
        const ofStatement = await contract.refusalOf(() => contract.query(client, harness.statements.failing))
        const ofDial = await contract.refusalOf(() => harness.refused.connect(never))

        for (const error of [ofStatement, ofDial, undefined, null, 'text', 5, {}, new Error('of somebody else')]) {
          expect(driver.isShutdown(error)).toBe(false)
        }
        await driver.close(client)
      },
    )
  })

  contract.about('takesWrites', 'a server that only reads', () => {
    contract.offered('takesWrites', 'takesWrites tells it from one that takes writes', async (driver) => {
      const { readOnly } = contract.harness
      const [writes, reads] = [await driver.connect(never), await readOnly.connect(never)]

      expect(await driver.takesWrites(writes, never)).toBe(true)
      expect(await readOnly.takesWrites?.(reads, never)).toBe(false)
      await driver.close(writes)
      await readOnly.close(reads)
    })

    contract.offered(
      ['takesWrites', 'declare'],
      'takesWrites does not mistake an owner for it who declared that he only reads',
      async (driver) => {
        const { settings, statements } = contract.harness
        if (settings.readOnly === undefined) return
        const { client } = await contract.open()
        driver.declare(client, { set: [settings.readOnly], clear: [], keep: [] })
        const owner = contract.handleOf(client).handle
        const error = await contract.refusalOf(async () => {
          await contract.query(owner, statements.ok)
          await contract.query(owner, statements.write('never-written'))
        })
        expect(driver.classify(error)).toBe('read-only')

        expect(await driver.takesWrites(client, never)).toBe(true)
        await driver.close(client)
      },
    )

    contract.offered('takesWrites', 'takesWrites leaves the session as it is', async (driver) => {
      const { client, told, bookings } = await contract.open()

      await driver.takesWrites(client, never)

      expect(bookings).toEqual([])
      expect(['quiet idle', undefined]).toContain(told.at(-1))
      await contract.query(client, contract.harness.statements.ok)
      await driver.close(client)
    })

    contract.offered('takesWrites', 'takesWrites rejects when the session is dead', async (driver) => {
      const { client, told } = await contract.open()
      await contract.harness.kill(client)
      await contract.soon(() => expect(told).toContain('lost'))

      await expect(driver.takesWrites(client, never)).rejects.toBeInstanceOf(Error)
      await driver.close(client)
    })
  })
}
