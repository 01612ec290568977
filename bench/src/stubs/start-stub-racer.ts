import { fileURLToPath } from 'node:url'
import { type AnsweringProcess, startAnsweringProcess } from '../measure/answering-process.js'
import type { WorkloadName } from './workloads.js'

/** What a pool on stubs is asked to measure. */
export type StubQuestion =
  /** Nanoseconds a lease. */
  | { readonly ask: 'time'; readonly workload: WorkloadName; readonly by: 'wall' | 'cpu' }
  /** The p99 of how long an acquire takes, in microseconds. Apart from the time: looking at the clock costs, too. */
  | { readonly ask: 'latency'; readonly workload: WorkloadName }
  /** Bytes for a waiting caller. */
  | { readonly ask: 'heap'; readonly waiters: number }

export type StubRacer = AnsweringProcess<StubQuestion, number>

/**
 * Starts a contestant in a process of its own. A service has one pool, and V8 has compiled its code for that one: with all of
 * them in one process, three of which are ours with other options, each was measured with what V8 had learned from the others.
 */
export function startStubRacer(contestant: string): StubRacer {
  const script = fileURLToPath(new URL('stub-racer.js', import.meta.url))
  return startAnsweringProcess(script, [contestant], { execArgv: ['--expose-gc'] })
}
