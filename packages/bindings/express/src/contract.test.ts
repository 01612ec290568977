import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describeBindingContract } from '@leasehold/testkit/contracts'
import { leasehold } from './leasehold.js'
import { leaseholdErrors } from './leasehold-errors.js'
import { versions } from './promises/versions.js'

for (const [version, express] of versions) {
  describeBindingContract(`@leasehold/express on ${version}`, {
    async start(pool, routes, idleTimeoutMs, settings) {
      const app = express()
      app.use(leasehold({ pool, settings }))
      app.use(express.text())
      for (const { method, path, handler } of routes) {
        app[method === 'GET' ? 'get' : 'post'](path, (req, res, next) => {
          const body = typeof req.body === 'string' ? req.body : ''
          const reply = (status: number, text: string): void => void res.status(status).send(text)
          // Express 4 knows nothing of promises: what a handler throws is passed on by hand.
          Promise.resolve()
            .then(() => handler({ signal: req.leasehold.scope.signal, body, reply, stream: () => res.status(200) }))
            .then(undefined, next)
        })
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
