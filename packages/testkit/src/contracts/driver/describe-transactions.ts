import type { TransactionModes } from '@leasehold/core'
import { expect } from 'vitest'
import type { DriverContract } from './driver-contract.js'

const AS_IT_IS: TransactionModes = { isolation: undefined, readOnly: undefined, deferrable: undefined }

/** What an observer was told last where a transaction is open; a driver may keep its begin for the first statement. */
const OPEN = ['quiet open', 'opened']
const OVER = ['quiet idle', 'never opened']

/** What `pool.transaction` stands on: the pool speaks through the handle of the lease that it has for it. */
export function describeTransactions<Client>(contract: DriverContract<Client>): void {
  const write = (client: Client, row: string): Promise<unknown> =>
    contract.query(client, contract.harness.statements.write(row))

  contract.about('transaction', 'transactions', () => {
    contract.offered('transaction', 'what was committed is there, and what was rolled back is not', async (driver) => {
      const { transaction } = driver
      const { client, told } = await contract.open()
      const { handle } = contract.handleOf(client)

      await transaction.begin(handle, AS_IT_IS)
      expect(OPEN).toContain(told.at(-1))
      await write(handle, 'kept')
      expect(told.at(-1)).toBe('quiet open')
      expect(await transaction.commit(handle)).toBe('committed')
      await transaction.begin(handle, AS_IT_IS)
      await write(handle, 'undone')
      await transaction.rollback(handle)

      expect(told.at(-1)).toBe('quiet idle')
      expect(await contract.harness.rows()).toEqual(['kept'])
      await driver.close(client)
    })

    contract.offered('transaction', 'one in which nothing runs is over when it is ended', async (driver) => {
      const { transaction } = driver
      const { client, told } = await contract.open()
      const { handle } = contract.handleOf(client)

      await transaction.begin(handle, AS_IT_IS)
      expect(await transaction.commit(handle)).toBe('committed')
      expect(OVER).toContain(told.at(-1))
      await transaction.begin(handle, AS_IT_IS)
      await transaction.rollback(handle)
      expect(OVER).toContain(told.at(-1))

      await write(handle, 'by-itself')
      expect(told.at(-1)).toBe('quiet idle')
      expect(await contract.harness.rows()).toEqual(['by-itself'])
      await driver.close(client)
    })

    contract.offered(
      'transaction',
      'the commit of one that has failed says that it was rolled back',
      async (driver) => {
        const { transaction } = driver
        const { client, told } = await contract.open()
        const { handle } = contract.handleOf(client)

        await transaction.begin(handle, AS_IT_IS)
        await write(handle, 'undone')
        await contract.refusalOf(() => contract.query(handle, contract.harness.statements.failing))

        expect(await transaction.commit(handle)).toBe('rolled back')
        expect(told.at(-1)).toBe('quiet idle')
        expect(await contract.harness.rows()).toEqual([])
        expect(transaction.mayRetry(handle)).toBe(false)
        await driver.close(client)
      },
    )

    contract.offered(
      'transaction',
      'one whose first statement fails has failed: nothing after it is committed by itself',
      async (driver) => {
        const { transaction } = driver
        const { client } = await contract.open()
        const { handle } = contract.handleOf(client)

        await transaction.begin(handle, AS_IT_IS)
        await contract.refusalOf(() => contract.query(handle, contract.harness.statements.failing))
        await contract.refusalOf(() => write(handle, 'undone'))

        expect(await transaction.commit(handle)).toBe('rolled back')
        expect(await contract.harness.rows()).toEqual([])
        await driver.close(client)
      },
    )

    contract.offered(
      'transaction',
      'what came after a savepoint is undone by itself, also when it has failed',
      async (driver) => {
        const { transaction } = driver
        const { client, told } = await contract.open()
        const { handle } = contract.handleOf(client)

        await transaction.begin(handle, AS_IT_IS)
        await transaction.savepoint(handle, 'first')
        await write(handle, 'kept')
        await transaction.release(handle, 'first')
        await transaction.savepoint(handle, 'second')
        await write(handle, 'undone')
        await contract.refusalOf(() => contract.query(handle, contract.harness.statements.failing))
        await transaction.rollbackTo(handle, 'second')
        await contract.soon(() => expect(told.at(-1)).toBe('quiet open'))

        expect(await transaction.commit(handle)).toBe('committed')
        expect(await contract.harness.rows()).toEqual(['kept'])
        await driver.close(client)
      },
    )

    contract.offered('transaction', 'one runs as it was asked for, and says so', async (driver) => {
      const { transaction } = driver
      const modes: TransactionModes = { isolation: 'serializable', readOnly: true, deferrable: undefined }
      const { client } = await contract.open()
      const { handle } = contract.handleOf(client)

      await transaction.begin(handle, modes)

      expect(await transaction.modes(handle)).toMatchObject({ isolation: 'serializable', readOnly: true })
      await transaction.rollback(handle)
      await driver.close(client)
    })
  })
}
