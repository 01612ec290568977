import { type ClientRequest, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { anyAccount, anyTransfer } from './any.js'
import type { HangUp, Tally } from './tally.js'
import type { Target } from './target.js'

/** Mistakes of the services, and how long to wait between two calls of each. */
const mistakes: ReadonlyArray<readonly [path: string, everyMs: number]> = [
  ['/mistakes/forget-to-release', 250],
  ['/mistakes/forget-to-commit', 400],
  ['/mistakes/hold-too-long', 100],
  ['/mistakes/work-after-response', 300],
  ['/mistakes/throw', 60],
]

/** Clients that do not wait for their answers, over sockets of their own, and callers of what is wrong in the services. */
export async function faults(targets: readonly Target[], seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000
  /** Every service has its turn. */
  const again = async (everyMs: number, work: (target: Target) => Promise<void>): Promise<void> => {
    for (let turn = 0; performance.now() < until; turn += 1) {
      const target = targets[turn % targets.length]
      if (target !== undefined) await work(target)
      await sleep(everyMs * (0.5 + Math.random()))
    }
  }
  await Promise.all([
    again(25, hangUpWhileWaiting),
    again(25, hangUpAfterBody),
    again(120, hangUpMidStream),
    ...mistakes.map(([path, everyMs]) => again(everyMs, (target) => makeMistake(target, path))),
  ])
}

async function hangUpWhileWaiting({ url, tally }: Target): Promise<void> {
  const { sent, answer } = send(`${url}/accounts/${anyAccount()}/orders`)
  setTimeout(() => sent.destroy(), Math.random() * 8)
  count(await answer, 'while waiting', tally)
}

async function hangUpAfterBody({ url, tally }: Target): Promise<void> {
  const { sent, answer } = send(`${url}/transfers`, 'POST', anyTransfer(100))
  sent.once('finish', () => setTimeout(() => sent.destroy(), Math.random() * 8))
  count(await answer, 'after its body', tally)
}

async function hangUpMidStream({ url, tally }: Target): Promise<void> {
  const { sent, answer } = send(`${url}/orders/export`)
  sent.once('response', (response) => response.once('data', () => sent.destroy()))
  count(await answer, 'mid-stream', tally)
}

async function makeMistake({ url, tally }: Target, path: string): Promise<void> {
  count(await send(`${url}${path}`, 'POST').answer, 'nobody', tally)
}

/** Sends a request over a socket of its own; `answer` is the status, or undefined if it ended before the answer did. */
function send(
  url: string,
  method: 'GET' | 'POST' = 'GET',
  body?: object,
): { readonly sent: ClientRequest; readonly answer: Promise<number | undefined> } {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = request(url, { method, agent: false, headers })
  let status: number | undefined
  sent.on('error', () => {}) // it is hung up on purpose; whether it was answered is all that counts
  sent.on('response', (response) => {
    response.on('error', () => {}).on('end', () => (status = response.statusCode))
    response.resume()
  })
  const answer = new Promise<number | undefined>((resolve) => sent.once('close', () => resolve(status)))
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return { sent, answer }
}

/** @param hungUp how the client meant to leave; the answer may have been faster. */
function count(status: number | undefined, hungUp: HangUp | 'nobody', tally: Tally): void {
  tally.sent()
  if (status !== undefined) tally.answered(status)
  else if (hungUp === 'nobody') tally.unanswered()
  else tally.hungUp(hungUp)
}
