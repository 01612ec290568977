import { openFakePool, settled } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../scope/scopes.js'
import { CallSite, CallSites } from './call-sites.js'

describe('a call site', () => {
  it('names the line of the caller’s own code', () => {
    function callerOfMine(): CallSite {
      return new CallSite(CallSites.prototype.capture)
    }
    // captureStackTrace leaves everything out when the function is not on the stack: what is named must then be honest.
    expect(callerOfMine().toString()).toBe('at an unknown place')

    function entry(): CallSite {
      return new CallSite(entry)
    }
    function report(): CallSite {
      return entry()
    }
    expect(report().toString()).toMatch(/^at report \(.*call-sites\.test\.ts:\d+:\d+\)$/)
  })

  it('is that of acquire, tryAcquire and use alike', async () => {
    const { pool } = openFakePool({ captureSites: 'always' })

    const acquired = await (function inAcquire() {
      return pool.acquire()
    })()
    expect(pool.snapshot().holders[0]?.site).toMatch(/at inAcquire \(.*call-sites\.test\.ts/)
    acquired.release()

    const tried = (function inTryAcquire() {
      return pool.tryAcquire()
    })()
    expect(pool.snapshot().holders[0]?.site).toMatch(/at inTryAcquire \(.*call-sites\.test\.ts/)
    tried?.release()

    await (function inUse() {
      return pool.use(() => expect(pool.snapshot().holders[0]?.site).toMatch(/at inUse \(.*call-sites\.test\.ts/))
    })()
  })
})

describe('adaptive capture', () => {
  it('gives a site to one lease in 128', async () => {
    const { pool } = openFakePool()
    let sites = 0
    for (let count = 0; count < 256; count++) {
      const lease = await pool.acquire()
      if (pool.snapshot().holders[0]?.site !== undefined) sites += 1
      lease.release()
    }
    expect(sites).toBe(2)
  })

  it('gives a site to every lease of a label that was left over before, and to no other', async () => {
    const { pool } = openFakePool()
    const sites: Array<string | undefined> = []
    const off = pool.on('leak', ({ site }) => sites.push(site))
    const forget = (label: string): Promise<void> => runInScope({ label }, async () => void (await pool.acquire()))

    await forget('forgetful')
    await forget('forgetful')
    await forget('another')

    expect(sites[0]).toBeUndefined()
    expect(sites[1]).toMatch(/call-sites\.test\.ts/)
    expect(sites[2]).toBeUndefined()
    off()
  })

  it('is switched off, and on for all, by captureSites', async () => {
    for (const [captureSites, expected] of [['off', 0], ['always', 3]] as const) {
      const { pool } = openFakePool({ captureSites })
      for (let count = 0; count < 3; count++) await pool.acquire()
      await settled()
      expect(pool.snapshot().holders.filter(({ site }) => site !== undefined)).toHaveLength(expected)
    }
  })
})
