import { afterEach, describe } from 'vitest'
import { BindingContract } from './binding/binding-contract.js'
import type { BindingContractHarness } from './binding/binding-contract-harness.js'
import { describeClientsThatHangUp } from './binding/describe-clients-that-hang-up.js'
import { describeRequestsInTransactions } from './binding/describe-requests-in-transactions.js'
import { describeRequestsRefused } from './binding/describe-requests-refused.js'
import { describeScopesOfRequests } from './binding/describe-scopes-of-requests.js'

/** What every HTTP binding must do with the scopes of its requests, in each way that a request can end. */
export function describeBindingContract(name: string, harness: BindingContractHarness): void {
  describe(`${name}, as a binding`, () => {
    const contract = new BindingContract(harness)

    afterEach(() => contract.end())

    describeScopesOfRequests(contract)
    describeClientsThatHangUp(contract)
    describeRequestsRefused(contract)
    if (harness.hasTransactions === true) describeRequestsInTransactions(contract)
  })
}
