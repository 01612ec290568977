export { describeBindingContract } from './describe-binding-contract.js'
export type {
  BindingContractHarness,
  BindingExchange,
  BindingRoute,
  BindingServer,
  BindingServerOptions,
} from './binding/binding-contract-harness.js'
export { describeClockContract, type ClockContractHarness } from './describe-clock-contract.js'
export { describeDriverContract, OPTIONAL_METHODS } from './describe-driver-contract.js'
export type { DriverContractHarness } from './driver/driver-contract-harness.js'
export { describeFacadeContract, type FacadeContractHarness } from './describe-facade-contract.js'
export { describeScopeCarrierContract } from './describe-scope-carrier-contract.js'
export { TestGate } from './test-gate.js'
