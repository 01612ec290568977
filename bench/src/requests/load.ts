import autocannon from 'autocannon'

export interface Load {
  readonly requestsPerSecond: number
  /** Of every answer, in milliseconds. */
  readonly latencies: readonly number[]
}

const ORDERS = 1_000

/** Sends `amount` requests over 32 sockets, each the next one when its last is answered. Rejects if any fails. */
export async function load(url: string, amount: number): Promise<Load> {
  const latencies: number[] = []
  let failed = 0
  const since = performance.now()
  let answeredAt = since
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const requests = Array.from({ length: 100 }, (_, at) => ({ path: `/orders/${1 + ((at * 37) % ORDERS)}` }))
    const running = autocannon({ url, amount, connections: 32, requests, sampleInt: 50 }, (error: unknown, done) => {
      if (error instanceof Error) reject(error)
      else resolve(done)
    })
    running.on('response', (_client, status, _bytes, ms) => {
      latencies.push(ms)
      answeredAt = performance.now()
      if (status !== 200) failed += 1
    })
  })
  // autocannon itself looks only from time to time whether it is done: its 50 ms would be a tenth of a round.
  const seconds = (answeredAt - since) / 1_000
  if (failed + result.errors > 0) throw new Error(`${failed + result.errors} of ${amount} requests failed`)
  return { requestsPerSecond: latencies.length / seconds, latencies }
}
