import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describeBindingContract } from '@leasehold/testkit/contracts'
import type { Request, RequestHandler, Response } from 'express'
import { leasehold } from './leasehold.js'
import { leaseholdErrors } from './leasehold-errors.js'
import { transactional } from './transactional.js'
import { versions } from './promises/versions.js'

for (const [version, express] of versions) {
  describeBindingContract(`@leasehold/express on ${version}`, {
    hasTransactions: true,
    async start(pool, routes, { idleTimeoutMs, ...options }) {
      const app = express()
      app.use(leasehold({ pool, ...options }))
      app.use(express.text())
      for (const { method, path, handler, transaction } of routes) {
        const handle = (req: Request, res: Response): Promise<void> | void => {
          const body = typeof req.body === 'string' ? req.body : ''
          const reply = (status: number, text: string): void => void res.status(status).send(text)
          return handler({ signal: req.leasehold.scope.signal, body, reply, stream: () => res.status(200) })
        }
        const route: RequestHandler =
          transaction === undefined
            ? // Express 4 knows nothing of promises: what a handler throws is passed on by hand.
              (req, res, next) =>
                void Promise.resolve()
                  .then(() => handle(req, res))
                  .then(undefined, next)
            : transactional(handle, transaction)
        app[method === 'GET' ? 'get' : 'post'](path, route)
      }
      app.use(leaseholdErrors())
      // Express prints what it answers 500 for, unless it is under test.
      app.set('env', 'test')
      const server = app.listen(0)
      server.setTimeout(idleTimeoutMs ?? 0)
      await once(server, 'listening')
      return {
        port: (server.address() as AddressInfo).port,
        stop: async () => {
          server.close()
          server.closeAllConnections()
          if (server.listening) await once(server, 'close')
        },
      }
    },
  })
}
