import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OptionalMethod } from '../fake-driver.js'
import { describeDeclaredSettings } from './driver/describe-declared-settings.js'
import { describeEndingStatements } from './driver/describe-ending-statements.js'
import { describeErrors } from './driver/describe-errors.js'
import { describeFencedHandles } from './driver/describe-fenced-handles.js'
import { describeOpening } from './driver/describe-opening.js'
import { describeRecycling } from './driver/describe-recycling.js'
import { describeTransactions } from './driver/describe-transactions.js'
import { describeWatching } from './driver/describe-watching.js'
import { DriverContract } from './driver/driver-contract.js'
import type { DriverContractHarness } from './driver/driver-contract-harness.js'

export const OPTIONAL_METHODS = [
  'lend',
  'quiesce',
  'cancel',
  'interrupt',
  'destroy',
  'declare',
  'hold',
  'redact',
  'transaction',
  'truth',
  'isShutdown',
  'takesWrites',
] as const satisfies readonly OptionalMethod[]

/**
 * What every driver must do for a pool to stand on it.
 *
 * @param without the optional methods that this driver does not have.
 */
export function describeDriverContract<Client>(
  name: string,
  make: () => Promise<DriverContractHarness<Client>> | DriverContractHarness<Client>,
  without: readonly OptionalMethod[] = [],
): void {
  describe(`${name}, as a driver`, () => {
    const contract = new DriverContract<Client>(without)

    beforeEach(async () => contract.begin(await make()))
    afterEach(() => contract.end())

    describeOpening(contract)
    describeWatching(contract)
    describeRecycling(contract)
    describeErrors(contract)

    it('offers besides what it is not said to be without', () => {
      expect(OPTIONAL_METHODS.filter((method) => contract.driver[method] === undefined).toSorted()).toEqual(
        [...without].toSorted(),
      )
    })

    describeEndingStatements(contract)
    describeFencedHandles(contract)
    describeDeclaredSettings(contract)
    describeTransactions(contract)
  })
}
