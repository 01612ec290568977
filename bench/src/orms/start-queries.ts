import { fileURLToPath } from 'node:url'
import { type AnsweringProcess, startAnsweringProcess } from '../measure/answering-process.js'
import type { OrmName, Pooling } from './orm.js'

export interface QueriesQuestion {
  readonly callers: number
  readonly queries: number
}

export interface QueriesAnswer {
  readonly perSecond: number
  readonly p99Ms: number
  /** What a query took of the processor, in the process of the ORM. */
  readonly cpuMicros: number
}

export type Queries = AnsweringProcess<QueriesQuestion, QueriesAnswer>

/** An ORM on a pool, in a process of its own. */
export function startQueries(orm: OrmName, pooling: Pooling, databaseUrl: string): Queries {
  return startAnsweringProcess(fileURLToPath(new URL('queries.js', import.meta.url)), [orm, pooling], { databaseUrl })
}
