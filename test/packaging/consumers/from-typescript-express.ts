// Compiled, never run: what a service with Express in strict TypeScript writes, without `skipLibCheck`.

import leasehold, { leasehold as named, leaseholdErrors, serviceUnavailable } from '@leasehold/express'
import type { LeaseholdMiddleware, LeaseholdOptions } from '@leasehold/express'
import { LeasedPgPool, createPgPool } from '@leasehold/pg'
import type { Express, Request, Router } from 'express'

const pool = createPgPool({ max: 5 })
const options: LeaseholdOptions = { pool, mode: 'session' }

export const leases: LeaseholdMiddleware<{ readonly main: LeasedPgPool }> = leasehold({ pool })
export const several = named({ pools: { main: pool, reports: new LeasedPgPool({ max: 2 }) } }).pools.reports.totalCount

export function service(app: Express, router: Router): void {
  app.use(leases)
  router.use(leasehold.route({ mode: options.mode, priority: 'low' }))
  router.get('/:id', leasehold.route({ off: true }), (req, res) => {
    res.json([req.leasehold.scope.label, req.leasehold.signal.aborted])
  })
  app.use('/orders', router)
  app.use(leaseholdErrors({ log: (error, request) => console.error(request.url, serviceUnavailable(error)) }))
}

export const aborted = (request: Request): boolean => request.leasehold.signal.aborted
