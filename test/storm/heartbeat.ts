import { Worker } from 'node:worker_threads'

const EVERY_MS = 20
/** Nothing of ours takes the event loop for so long, however many requests there are. */
export const MOST_BUSY_MS = 250
const DEAD_MS = 20_000

/** Kills this process when its event loop does not come round: a test that hangs has no name. */
const WATCHER = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
let seen = -1
setInterval(() => {
  const now = Atomics.load(workerData.beats, 0)
  if (now === seen) {
    writeSync(2, 'the event loop has stood still for ' + workerData.deadMs + ' ms: ' + workerData.what + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }
  seen = now
}, workerData.deadMs)
`

export interface Heartbeat {
  /** The longest that our code has kept the processor from everything else, so far. */
  readonly longestMs: number
  stop(): Promise<void>
}

/**
 * Watches that the event loop comes round. What counts is the time of the processor and not of the clock: on a busy machine
 * everybody waits.
 *
 * @param what is said if it never comes round again.
 */
export function startHeartbeat(what: string): Heartbeat {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(WATCHER, { eval: true, workerData: { beats, what, deadMs: DEAD_MS } })
  let longestMs = 0
  let last = process.cpuUsage()
  const timer = setInterval(() => {
    Atomics.add(beats, 0, 1)
    const { user, system } = process.cpuUsage(last)
    last = process.cpuUsage()
    longestMs = Math.max(longestMs, (user + system) / 1_000)
  }, EVERY_MS)
  return {
    get longestMs() {
      return longestMs
    },
    async stop() {
      clearInterval(timer)
      await worker.terminate()
    },
  }
}
