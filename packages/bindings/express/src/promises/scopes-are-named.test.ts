import { currentScope } from '@leasehold/core'
import type { Express, RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import type { LeaseholdRoute } from '@leasehold/core'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

const sendLabel: RequestHandler = (_req, res) => void res.send(currentScope()?.label)

describe.each(versions)('on %s the scope of a request is named', (version, express) => {
  const service = useService(express)

  async function labelOf(path: string, method = 'GET'): Promise<string> {
    return (await service.answerTo(service.send(path, { method }))).body
  }

  it('by method and pattern, as the leases are that it takes', async () => {
    await service.start((app) => {
      app.get(
        '/orders/:id',
        handle(async (_req, res) => {
          const lease = await service.pool.acquire()
          res.send(`${lease.label} | ${service.pool.snapshot().holders[0]?.label}`)
        }),
      )
      app.all('/all', sendLabel)
      app.get(['/a', '/b'], sendLabel)
      app.get(/^\/number\/\d+$/, sendLabel)
    })

    expect(await labelOf('/orders/7?secret=1')).toBe('GET /orders/:id | GET /orders/:id')
    expect(await labelOf('/all', 'DELETE')).toBe('DELETE /all')
    expect(await labelOf('/b')).toBe('GET /a,/b')
    expect(await labelOf('/number/7')).toBe(String.raw`GET /^\/number\/\d+$/`)
  })

  it('with the patterns of the routers and the apps on its way, never with the values of the request', async () => {
    await service.start((app) => {
      const [tenants, orders, notes] = [express.Router(), express.Router({ mergeParams: true }), express.Router()]
      const admin = express()
      app.use('/tenants/:tenant', tenants)
      tenants.get('/', sendLabel)
      tenants.use('/orders/:order', orders)
      orders.get('/lines/:line', sendLabel)
      orders.use('/v:version/notes', notes)
      notes.get('/', sendLabel)
      app.use('/admin', admin)
      admin.get('/users/:user', sendLabel)
    })

    expect(await labelOf('/tenants/acme%20inc')).toBe('GET /tenants/:tenant')
    expect(await labelOf('/tenants/tenants/')).toBe('GET /tenants/:tenant')
    expect(await labelOf('/tenants/acme/orders/7/lines/1')).toBe('GET /tenants/:tenant/orders/:order/lines/:line')
    expect(await labelOf('/tenants/7/orders/7/lines/7')).toBe('GET /tenants/:tenant/orders/:order/lines/:line')
    expect(await labelOf('/tenants/acme/orders/7/v2/notes')).toBe('GET /tenants/:tenant/orders/:order/v:version/notes')
    expect(await labelOf('/tenants/2/orders/7/v2/notes')).toBe('GET /tenants/:tenant/orders/:order/v:version/notes')
    // What one param is may also stand in the text of a later pattern.
    expect(await labelOf('/tenants/acme/orders/no/v2/notes')).toBe('GET /tenants/:tenant/orders/:order/v:version/notes')
    expect(await labelOf('/admin/users/ada')).toBe('GET /admin/users/:user')
  })

  it('by one name for a wildcard, however much of the path it took', async () => {
    const files = version === 'Express 4' ? '/files/*' : '/files/*path'
    await service.start((app) => {
      const router = express.Router()
      app.use(files, router)
      router.get('/', sendLabel)
    })

    const name = version === 'Express 4' ? ':0' : ':path'
    expect(await labelOf('/files/a/b/secret')).toBe(`GET /files/${name}`)
  })

  it('the same after its handler has failed, when Express has left the router', async () => {
    await service.start((app) => {
      const orders = express.Router()
      app.use('/tenants/:tenant', orders)
      orders.get('/orders/:id', (_req, _res, next) => next(new Error('of the handler')))
      app.use((_error: unknown, req: { baseUrl: string }, res: { send(text: string): void }, _next: unknown) => {
        res.send(`${currentScope()?.label} at "${req.baseUrl}"`)
      })
    })

    expect(await labelOf('/tenants/acme/orders/7')).toBe('GET /tenants/:tenant/orders/:id at ""')
    expect(service.scopes[0]?.label).toBe('GET /tenants/:tenant/orders/:id')
  })

  it('by the router where no route has matched, and by none outside', async () => {
    await service.start((app) => app.use('/graphql/:schema', sendLabel))

    expect(await labelOf('/graphql/shop')).toBe('GET /graphql/:schema (no route)')
    await labelOf('/secret', 'POST')
    expect(service.scopes.at(-1)?.label).toBe('POST (no route)')
  })

  it('by the last route, where one passes on to the next', async () => {
    await service.start((app) => {
      app.all(/.*/, (_req, _res, next) => next())
      app.get('/orders/:id', sendLabel)
    })

    expect(await labelOf('/orders/7')).toBe('GET /orders/:id')
  })

  it('by the function that the service gave, which is told when the route is known', async () => {
    const asked: LeaseholdRoute[] = []
    const label = (route: LeaseholdRoute): string => (asked.push(route), `shop: ${route.url ?? 'nothing'}`)
    await service.start((app) => app.get('/orders/:id', sendLabel), { leasehold: { label } })

    expect(await labelOf('/orders/7')).toBe('shop: /orders/:id')
    await labelOf('/nowhere')
    expect(service.scopes.at(-1)?.label).toBe('shop: nothing')
    expect(asked).toEqual([
      { method: 'GET', url: '/orders/:id' },
      { method: 'GET', url: undefined },
    ])
  })

  it.each<[string, () => string]>([
    ['returns nothing', () => undefined as unknown as string],
    [
      'throws',
      () => {
        throw new Error('of the label')
      },
    ],
  ])('by method and pattern where that function %s: no request fails of it', async (_, label) => {
    const route = (app: Express): unknown => app.get('/orders/:id', sendLabel)
    await service.start(route, { leasehold: { label } })

    expect(await labelOf('/orders/7')).toBe('GET /orders/:id')
    await service.allIsBack(1)
  })

  it('and Express and its routes find what they look for as before', async () => {
    await service.start((app) => {
      const router = express.Router()
      app.use('/tenants/:tenant', router)
      router.get('/orders/:id', (req, res) => {
        const { path } = req.route as { path: string }
        res.json({ base: req.baseUrl, path, url: req.url, original: req.originalUrl, params: req.params })
      })
    })

    expect(JSON.parse(await labelOf('/tenants/acme/orders/7'))).toEqual({
      base: '/tenants/acme',
      path: '/orders/:id',
      url: '/orders/7',
      original: '/tenants/acme/orders/7',
      params: { id: '7' },
    })
  })
})
