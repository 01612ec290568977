import type { TransactionModes } from '@leasehold/core'
import { expect } from 'vitest'
import type { DriverContract } from './driver-contract.js'

const AS_IT_IS: TransactionModes = { isolation: undefined, readOnly: undefined, deferrable: undefined }

/** What `pool.transaction` stands on. */
export function describeTransactions<Client>(contract: DriverContract<Client>): void {
  const write = (client: Client, row: string): Promise<unknown> =>
    contract.query(client, contract.harness.statements.write(row))

  contract.about('transaction', 'transactions', () => {
    contract.offered('transaction', 'what was committed is there, and what was rolled back is not', async (driver) => {
      const { transaction } = driver
      const { client, told } = await contract.open()

      await transaction.begin(client, AS_IT_IS)
      expect(told.at(-1)).toBe('quiet open')
      await write(client, 'kept')
      expect(await transaction.commit(client)).toBe('committed')
      await transaction.begin(client, AS_IT_IS)
      await write(client, 'undone')
      await transaction.rollback(client)

      expect(told.at(-1)).toBe('quiet idle')
      expect(await contract.harness.rows()).toEqual(['kept'])
      await driver.close(client)
    })

    contract.offered(
      'transaction',
      'the commit of one that has failed says that it was rolled back',
      async (driver) => {
        const { transaction } = driver
        const { client, told } = await contract.open()

        await transaction.begin(client, AS_IT_IS)
        await write(client, 'undone')
        await contract.refusalOf(() => contract.query(client, contract.harness.statements.failing))

        expect(await transaction.commit(client)).toBe('rolled back')
        expect(told.at(-1)).toBe('quiet idle')
        expect(await contract.harness.rows()).toEqual([])
        expect(transaction.mayRetry(client)).toBe(false)
        await driver.close(client)
      },
    )

    contract.offered(
      'transaction',
      'what came after a savepoint is undone by itself, also when it has failed',
      async (driver) => {
        const { transaction } = driver
        const { client, told } = await contract.open()

        await transaction.begin(client, AS_IT_IS)
        await transaction.savepoint(client, 'first')
        await write(client, 'kept')
        await transaction.release(client, 'first')
        await transaction.savepoint(client, 'second')
        await write(client, 'undone')
        await contract.refusalOf(() => contract.query(client, contract.harness.statements.failing))
        await transaction.rollbackTo(client, 'second')
        await contract.soon(() => expect(told.at(-1)).toBe('quiet open'))

        expect(await transaction.commit(client)).toBe('committed')
        expect(await contract.harness.rows()).toEqual(['kept'])
        await driver.close(client)
      },
    )

    contract.offered('transaction', 'one runs as it was asked for, and says so', async (driver) => {
      const { transaction } = driver
      const modes: TransactionModes = { isolation: 'serializable', readOnly: true, deferrable: undefined }
      const { client } = await contract.open()

      await transaction.begin(client, modes)

      expect(await transaction.modes(client)).toMatchObject({ isolation: 'serializable', readOnly: true })
      await transaction.rollback(client)
      await driver.close(client)
    })
  })
}
