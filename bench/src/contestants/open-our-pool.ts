import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'

/** Where it is set, our pools have their sessions keep the statements that come often: for `--prepared`, in every process. */
const PREPARED = 'BENCH_PREPARED'

export function prepareStatements(): void {
  process.env[PREPARED] = '1'
}

/** Our pool, as all benchmarks open it that ask a server. */
export function openOurPool(options: LeasedPgPoolOptions): LeasedPgPool {
  return createPgPool({ ...options, leasehold: { preparedStatements: process.env[PREPARED] === '1' } })
}
