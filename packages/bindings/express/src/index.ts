export type { ClosableServer } from './closing.js'
export { leasehold, leasehold as default } from './leasehold.js'
export type { LeaseholdMiddleware, Middleware } from './leasehold.js'
export { leaseholdErrors } from './leasehold-errors.js'
export type { ErrorMiddleware, LeaseholdErrorsOptions } from './leasehold-errors.js'
export type { LeaseholdOptions, OnePoolOptions, SeveralPoolsOptions } from './leasehold-options.js'
export { transactional } from './transactional.js'
export { serviceUnavailable } from '@leasehold/core'
export type {
  BoundPool,
  DeclaredTransaction,
  LeaseholdRoute,
  PoolSource,
  RequestLeasehold,
  RouteLeasehold,
  ServiceUnavailable,
} from '@leasehold/core'
