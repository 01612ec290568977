import { describe, expect, it } from 'vitest'
import { leasehold } from '../leasehold.js'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

const OWN = ['1', '2'].map((tenant) => ({ 'app.tenant_id': tenant }))

describe.each(versions)('on %s', (_version, express) => {
  const service = useService(express)
  const query = handle(async (_req, res) => void res.send(await service.pool.use((client) => client.query('q'))))

  async function askAsTwo(): Promise<unknown> {
    for (const tenant of ['1', '2']) await service.answerTo(service.send('/', { headers: { 'x-tenant': tenant } }))
    return service.driver.sessions.flatMap(({ settings }) => settings.ran.map((statement) => statement.settings))
  }

  it('a middleware that authenticates declares the settings of the leases that follow, also in a scope of a route', async () => {
    await service.start(
      (app) => {
        app.use((req, _res, next) => {
          req.leasehold.set({ 'app.tenant_id': String(req.headers['x-tenant']) })
          next()
        })
        app.get('/', leasehold.route({ priority: 'high' }), query)
      },
      { pool: { max: 1, requireSettings: ['app.tenant_id'] } },
    )

    expect(await askAsTwo()).toEqual(OWN)
  })

  it('the function of settings sees what middlewares have found out by the first lease, also in a scope of a route', async () => {
    await service.start(
      (app) => {
        app.use((req, _res, next) => {
          Object.assign(req, { tenant: req.headers['x-tenant'] })
          next()
        })
        app.get('/', leasehold.route({ mode: 'session' }), query)
      },
      {
        pool: { max: 1 },
        leasehold: { settings: (req) => ({ 'app.tenant_id': (req as unknown as { tenant: string }).tenant }) },
      },
    )

    expect(await askAsTwo()).toEqual(OWN)
  })
})
