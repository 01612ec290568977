import { describe, expect, it } from 'vitest'
import type { DriverContract } from './driver-contract.js'

/** How sessions begin and end. */
export function describeOpening<Client>(contract: DriverContract<Client>): void {
  const never = new AbortController().signal

  describe('opening', () => {
    it('gives a session that answers, and closing it leaves nothing open', async () => {
      const { driver, harness } = contract
      const client = await driver.connect(never)

      await driver.check(client)
      await contract.query(client, harness.statements.ok)
      await driver.close(client)

      await contract.nothingIsOpen()
    })

    it('rejects when the server refuses, with an error that means no query', async () => {
      const error = await contract.refusalOf(() => contract.harness.refused.connect(never))

      expect(error).toBeInstanceOf(Error)
      expect(['transient', 'saturated', 'denied', 'fatal']).toContain(contract.driver.classify(error))
      await contract.nothingIsOpen()
    })

    it('rejects soon when its signal aborts before the server has answered, and leaves no socket', async () => {
      const controller = new AbortController()
      const connecting = contract.harness.silent.connect(controller.signal)
      const outcome = expect(connecting).rejects.toBeInstanceOf(Error)
      await contract.soon(async () => expect(await contract.harness.sockets()).toBe(1))

      controller.abort(new Error('given up'))

      await outcome
      await contract.nothingIsOpen()
    })

    it('rejects when its signal has aborted already, and leaves no socket', async () => {
      await expect(contract.driver.connect(AbortSignal.abort())).rejects.toBeInstanceOf(Error)
      await contract.nothingIsOpen()
    })

    contract.offered(
      'destroy',
      'destroy takes the socket away at once, also under a running statement, and may come twice',
      async (driver) => {
        const { client } = await contract.open()
        const running = contract.startEndless(client)

        driver.destroy(client)
        driver.destroy(client)

        await expect(running).rejects.toBeInstanceOf(Error)
        await contract.nothingIsOpen()
      },
    )

    contract.offered('hold', 'hold can be switched either way on a living session', async (driver) => {
      const client = await driver.connect(never)

      driver.hold(client, false)
      driver.hold(client, true)
      await contract.query(client, contract.harness.statements.ok)
      await driver.close(client)
    })
  })
}
