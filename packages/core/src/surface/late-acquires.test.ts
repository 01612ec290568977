import { openFakePool } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { openScope } from '../scope/scopes.js'

it('a late query that an adapter sends later than it was written is reported at the line that wrote it', async () => {
  const { pool } = openFakePool({ captureSites: 'always' })
  const sites: Array<string | undefined> = []
  pool.on('late-acquire', ({ site }) => sites.push(site))
  const scope = openScope({ label: 'request' })
  await scope.close()

  // As an adapter does it, from a microtask.
  await Promise.resolve().then(() =>
    scope.run(() => pool.acquire({ site: { place: 'at the line (/srv/app.ts:1:1)' } })),
  )
  await scope.run(() => pool.acquire())

  expect(sites[0]).toBe('at the line (/srv/app.ts:1:1)')
  expect(sites[1]).toMatch(/late-acquires\.test\.ts/)
})
