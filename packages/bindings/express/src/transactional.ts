import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  answerInTransaction,
  checkDeclaredTransaction,
  type DeclaredTransaction,
  InvalidOptionsError,
  poolForTransactions,
  printReceived,
  refuseFaults,
} from '@leasehold/core'
import { HeldResponse } from './held-response.js'
import { RequestScopes } from './request-scopes.js'

/** What Express gives a handler, told without Express: the types of version 4 and of 5 are such. */
// oxlint-disable-next-line typescript/no-explicit-any -- each version has its own request, response and `next`
type HandlerValues = [request: any, response: any, next: any]

/**
 * A handler that does what `handler` does in a transaction, which every query inside it joins:
 * `app.post('/orders', transactional(async (req, res) => { … }))`.
 *
 * It is committed before the answer is sent: until then the response keeps what it is told. It is rolled back, and nothing
 * of it is there, when the handler throws, rejects or calls `next(error)`, when it answers with a status of 400 or above, when
 * the commit fails, and when the request is aborted or takes too long. What the handler throws goes to `next`, in Express 4 too.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`, and for what is no handler.
 */
export function transactional<Values extends HandlerValues>(
  handler: (...values: Values) => unknown,
  options: DeclaredTransaction = {},
): (...values: Values) => void {
  if (typeof handler !== 'function' || handler.length > 3) {
    const received = typeof handler === 'function' ? 'an error handler' : printReceived(handler)
    refuseFaults('transactional', [{ option: 'handler', received, expected: 'a function (req, res, next)' }])
  }
  const { pool: name, ...how } = checkDeclaredTransaction('transactional', options)

  return (...values) => {
    const [request, response, next] = values as [IncomingMessage, ServerResponse, (error?: unknown) => void]
    // Without an error Express would go on as if all were well.
    const fail = (error: unknown): void => next(error ?? new Error('a handler failed'))
    const own = RequestScopes.of(request)
    if (own === undefined) {
      fail(noScopeYet())
      return
    }
    own.enter(() => {
      run(own)
        .then((send) => send())
        .then(undefined, fail)
    })

    async function run(scopes: RequestScopes): Promise<() => void> {
      const pool = poolForTransactions('transactional', scopes.pools, name)
      const held = new HeldResponse(response)
      try {
        const send = await answerInTransaction(pool, how, () =>
          held.answerOf((goOn) => handler(...([request, response, goOn] as Values)), next),
        )
        held.release()
        return send
      } catch (error) {
        held.abandon()
        throw error
      }
    }
  }
}

function noScopeYet(): InvalidOptionsError {
  const received = 'a request without a scope'
  const expected = 'app.use(leasehold({ pool })) before it'
  return new InvalidOptionsError('transactional', [{ option: 'request', received, expected }])
}
