import autocannon from 'autocannon'
import { anyAccount, anyTransfer, anyUpTo } from './any.js'
import { settings } from './settings.js'
import type { Target } from './target.js'

/** What ordinary clients ask for, and how many of a hundred requests are of that kind. */
const mix: ReadonlyArray<readonly [share: number, make: () => autocannon.Request]> = [
  [45, () => get(`/accounts/${anyAccount()}`)],
  [20, () => get(`/accounts/${anyAccount()}/orders`)],
  [13, () => get(`/orders/${anyUpTo(settings.orders)}`)],
  [10, () => post('/orders', { accountId: anyAccount(), item: 'tea', amountCents: anyUpTo(5_000) })],
  [9, () => post('/transfers', anyTransfer(500))],
  // What a service has to refuse is part of an ordinary day.
  [1, () => post('/transfers', anyTransfer(100_000_000))],
  [1, () => get('/orders/2147483647')],
  [1, () => post('/orders', { accountId: anyAccount(), item: '', amountCents: -1 })],
]

const aHundred = mix.flatMap(([share, make]) => Array<() => autocannon.Request>(share).fill(make))

/** The ordinary clients of one service. Each sends its next request when its last one has been answered. */
export async function load({ url, tally }: Target, seconds: number): Promise<void> {
  const options = {
    url,
    connections: settings.clientsOfEach,
    duration: seconds,
    sampleInt: 100, // how often it looks whether it is time to end
    setupClient: (client: autocannon.Client) => client.setRequests(Array.from({ length: 100 }, anyRequest)),
  }
  const { requests, errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(options, (error: Error | null, result) => (error ? reject(error) : resolve(result)))
    running.on('response', (_client, status, _bytes, ms) => {
      tally.sent()
      tally.answered(status)
      if (status < 300) tally.took(ms)
    })
    running.on('reqError', () => {
      tally.sent()
      tally.unanswered()
    })
  })
  // It ends by closing its sockets, whatever is on the way.
  const cut = requests.sent - requests.total - errors
  tally.sent(cut)
  tally.hungUp('when the load ended', cut)
}

function anyRequest(): autocannon.Request {
  return aHundred[anyUpTo(aHundred.length) - 1]?.() ?? get('/')
}

function get(path: string): autocannon.Request {
  return { method: 'GET', path }
}

function post(path: string, body: object): autocannon.Request {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
