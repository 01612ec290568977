import { expect, it } from 'vitest'
import { useService } from './use-service.js'

const service = useService()
const OWN = ['1', '2'].map((tenant) => ({ 'app.tenant_id': tenant }))

async function askAsTwo(): Promise<unknown> {
  for (const tenant of ['1', '2']) await service.answerTo(service.send('/', { headers: { 'x-tenant': tenant } }))
  return service.driver.sessions.flatMap(({ settings }) => settings.ran.map((statement) => statement.settings))
}

it('a hook that authenticates declares the settings of the leases that follow', async () => {
  await service.start(
    (app) => {
      app.addHook('preHandler', async (request) => {
        request.leasehold.set({ 'app.tenant_id': String(request.headers['x-tenant']) })
      })
      app.get('/', () => service.pool.use((client) => client.query('q')))
    },
    { pool: { max: 1, requireSettings: ['app.tenant_id'] } },
  )

  expect(await askAsTwo()).toEqual(OWN)
})

it('the function of settings sees what hooks have found out by the first lease', async () => {
  await service.start(
    (app) => {
      app.addHook('preHandler', async (request) => {
        Object.assign(request, { tenant: request.headers['x-tenant'] })
      })
      app.get('/', () => service.pool.use((client) => client.query('q')))
    },
    {
      pool: { max: 1 },
      plugin: {
        settings: async (request) => ({ 'app.tenant_id': (request as unknown as { tenant: string }).tenant }),
      },
    },
  )

  expect(await askAsTwo()).toEqual(OWN)
})
