import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Counts, Outcome } from './tally.js'

/** What the clients are to do. */
export interface Load {
  readonly seconds: number
  /** Where each service listens, by the name of its pair. */
  readonly urls: Readonly<Record<string, string>>
}

/** What the process of the clients tells: several times a second how it goes, and once at the end what became of it. */
export type ClientReport =
  | { readonly is: 'under way'; readonly seconds: number; readonly total: Counts }
  | ({ readonly is: 'over' } & ClientResult)

export interface ClientResult {
  /** How long it has run. */
  readonly seconds: number
  readonly total: Outcome
  readonly pairs: Readonly<Record<string, Outcome>>
}

/** Runs the clients in a process of their own, as in life: they take no time from the services, which cannot hold them up. */
export function runClients(
  load: Load,
  signal: AbortSignal,
  onProgress: (seconds: number, counts: Counts) => void,
): Promise<ClientResult> {
  // The child inherits execArgv, and with it tsx, which reads TypeScript.
  const child = fork(fileURLToPath(new URL('clients.ts', import.meta.url)), [JSON.stringify(load)], { signal })
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const report = message as ClientReport
      onProgress(report.seconds, report.total)
      if (report.is === 'under way') return
      child.disconnect()
      resolve(report)
    })
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the clients ended too early, with exit code ${code}`)))
  })
}
