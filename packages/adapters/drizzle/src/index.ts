export { createDrizzle } from './create-drizzle.js'
export type { DrizzleTables, LeasedDrizzleConfig, NoDrizzleTables } from './leased-drizzle-config.js'
