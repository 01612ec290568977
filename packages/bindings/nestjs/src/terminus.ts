export { LeaseholdHealthIndicator, type PoolCheckOptions, type PoolHealth } from './leasehold-health-indicator.js'
