import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Counts } from './tally.js'

/** What the process of the clients tells, several times a second and once at the end. */
export interface ClientReport extends Counts {
  /** How long it has run. */
  readonly seconds: number
  /** Of ordinary requests that were answered well; only the last report has it. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | undefined
}

/**
 * Runs the clients in a process of their own, as in life: they take no time from the service, and it cannot hold them up.
 *
 * @returns their last report.
 */
export function runClients(
  url: string,
  signal: AbortSignal,
  onReport: (report: ClientReport) => void,
): Promise<ClientReport> {
  // The child inherits execArgv, and with it tsx, which reads TypeScript.
  const child = fork(fileURLToPath(new URL('clients.ts', import.meta.url)), [url], { signal })
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const report = message as ClientReport
      onReport(report)
      if (report.latencyMs === undefined) return
      child.disconnect()
      resolve(report)
    })
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the clients ended too early, with exit code ${code}`)))
  })
}
