import type { Pool, RequestLeasehold, Scope } from '@leasehold/core'
import type { FakeClient } from '@leasehold/testkit'
import type * as express5 from 'express'
import type * as express4 from 'express4'
import { describe, expectTypeOf, it } from 'vitest'
import defaultExport, {
  leasehold,
  leaseholdErrors,
  type LeaseholdMiddleware,
  type LeaseholdOptions,
  type PoolSource,
  transactional,
} from '../index.js'

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('requests of both versions know of the middleware', () => {
    expectTypeOf<express5.Request['leasehold']>().toEqualTypeOf<RequestLeasehold>()
    expectTypeOf<express4.Request['leasehold']>().toEqualTypeOf<RequestLeasehold>()
    expectTypeOf<RequestLeasehold['scope']>().toEqualTypeOf<Scope>()
    expectTypeOf<RequestLeasehold['signal']>().toEqualTypeOf<AbortSignal>()
    expectTypeOf(defaultExport).toEqualTypeOf(leasehold)
  })

  it('apps and routers of both versions take it', () => {
    const declare = (pool: Pool<FakeClient>, five: express5.Express, four: express4.Router): void => {
      five.use(leasehold({ pool }))
      five.get('/orders/:id', leasehold.route({ mode: 'session' }), (req, res) => {
        expectTypeOf(req.params.id).toEqualTypeOf<string>()
        res.json(req.leasehold.scope.label)
      })
      five.use(leaseholdErrors({ log: (error, request) => console.error(request.url, error) }))
      four.use('/orders', leasehold({ pool }), leasehold.route({ off: true }))
      four.use(leaseholdErrors())
      // @ts-expect-error -- there is no such mode
      leasehold.route({ mode: 'row' })
      // @ts-expect-error -- a route has no pool
      leasehold.route({ pool })
    }
    expectTypeOf(declare).returns.toBeVoid()
  })

  it('a transactional handler is one of its version, with the params of its path', () => {
    const declare = (five: express5.Express, four: express4.Express): void => {
      five.post(
        '/orders/:id',
        transactional(async (req: express5.Request<{ id: string }>, res: express5.Response) => {
          expectTypeOf(req.params.id).toEqualTypeOf<string>()
          res.json(req.leasehold.scope.label)
        }),
      )
      five.post(
        '/orders',
        transactional(async (req, res) => void res.json(req.leasehold.scope.label), { isolation: 'serializable' }),
      )
      four.post(
        '/orders',
        transactional((req, res, next) => (req.body === undefined ? next() : res.json(1)), {
          pool: 'main',
          retries: 2,
        }),
      )
      // @ts-expect-error -- there is no such isolation
      transactional(() => {}, { isolation: 'strict' })
    }
    expectTypeOf(declare).returns.toBeVoid()
  })

  it('the pools keep their types and names', () => {
    type Facade = { leases: Pool<FakeClient>; query(text: string): void }
    const make = (pool: Pool<FakeClient>, facade: Facade) => ({
      one: leasehold({ pool: facade }),
      two: leasehold({ pools: { main: pool, reports: facade }, mode: 'session' }),
    })
    expectTypeOf(make).returns.toEqualTypeOf<{
      one: LeaseholdMiddleware<{ readonly main: Facade }>
      two: LeaseholdMiddleware<{ main: Pool<FakeClient>; reports: Facade }>
    }>()
  })

  it('no pool, both kinds of it, and unknown words are refused', () => {
    expectTypeOf<{ query(text: string): void }>().not.toExtend<PoolSource>()
    expectTypeOf<{ mode: 'session' }>().not.toExtend<LeaseholdOptions>()
    expectTypeOf<{ pool: PoolSource; pools: { main: PoolSource } }>().not.toExtend<LeaseholdOptions>()
    expectTypeOf<{ pool: PoolSource; mode: 'row' }>().not.toExtend<LeaseholdOptions>()
    expectTypeOf<{ pool: PoolSource; mode: 'session' }>().toExtend<LeaseholdOptions>()
  })
})
