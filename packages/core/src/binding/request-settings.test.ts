import { openFakePool } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../index.js'
import { faultsOfPoolSources } from './pool-source-rules.js'
import { type RequestSettings, settingsOptionsOf } from './request-settings.js'

interface Request {
  readonly tenant: string
}

describe('the settings of requests', () => {
  it('come from one function for all pools, or from one for each by its name', async () => {
    const { pool: main, driver } = openFakePool({ max: 1 })
    const { pool: reports, driver: reportsDriver } = openFakePool({ max: 1 })
    const pools = { main, reports: { leases: reports } }
    const serve = async (settings: RequestSettings<Request> | undefined, request: Request): Promise<void> =>
      runInScope({ label: 'GET /', ...settingsOptionsOf(settings, pools, request) }, async () => {
        for (const pool of [main, reports]) await pool.use((client) => client.query('q'))
      })

    await serve(undefined, { tenant: '1' })
    await serve(({ tenant }) => ({ 'app.tenant_id': tenant }), { tenant: '2' })
    await serve({ reports: ({ tenant }) => ({ role: `reader_${tenant}` }) }, { tenant: '3' })

    expect(driver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([{}, { 'app.tenant_id': '2' }, {}])
    expect(reportsDriver.sessions[0]?.settings.ran.map(({ settings }) => settings)).toEqual([
      {},
      { 'app.tenant_id': '2' },
      { role: 'reader_3' },
    ])
  })

  it('for a pool that there is not are refused: they would never be asked for', () => {
    const { pool } = openFakePool()
    const faultsWith = (options: object): unknown => faultsOfPoolSources(options, { ...options })
    const settings = { main: () => ({}), report: () => ({}) }

    expect(faultsWith({ pool, settings })).toEqual([
      { option: 'settings.report', received: 'a function', expected: 'the name of a pool: main' },
    ])
    expect(faultsWith({ pools: { main: pool, report: pool }, settings })).toEqual([])
    expect(faultsWith({ pool, settings: () => ({}) })).toEqual([])
  })
})
