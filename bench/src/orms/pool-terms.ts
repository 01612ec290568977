import type { PoolConfig } from 'pg'
import { EQUAL_TERMS } from '../contestants/contestant.js'

/** The terms of all benchmarks, in the words of pg.Pool. */
export function poolTerms(url: string): PoolConfig {
  return {
    connectionString: url,
    max: EQUAL_TERMS.max,
    connectionTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
    idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
  }
}
