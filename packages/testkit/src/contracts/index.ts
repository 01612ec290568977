export {
  describeBindingContract,
  type BindingContractHarness,
  type BindingExchange,
  type BindingRoute,
  type BindingServer,
} from './describe-binding-contract.js'
export { describeClockContract, type ClockContractHarness } from './describe-clock-contract.js'
export { describeDriverContract, type DriverContractHarness } from './describe-driver-contract.js'
export { describeFacadeContract, type FacadeContractHarness } from './describe-facade-contract.js'
export { describeScopeCarrierContract } from './describe-scope-carrier-contract.js'
export { TestGate } from './test-gate.js'
