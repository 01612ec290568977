import { bareArray } from './bare-array.js'
import type { Contestant } from './contestant.js'
import { databasesConnectionPool } from './databases-connection-pool.js'
import { genericPool } from './generic-pool.js'
import { leasehold } from './leasehold.js'
import { lightningPool } from './lightning-pool.js'
import { mysql2 } from './mysql2.js'
import { pgPool } from './pg-pool.js'
import { tarn } from './tarn.js'

export const OURS = leasehold('leasehold', 'adaptive')

export const CONTESTANTS: readonly Contestant[] = [
  OURS,
  leasehold('leasehold, captureSites off', 'off'),
  leasehold('leasehold, captureSites always', 'always'),
  pgPool,
  tarn,
  genericPool,
  lightningPool,
  databasesConnectionPool,
  mysql2,
  bareArray,
]
