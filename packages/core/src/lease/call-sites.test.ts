import { openFakePool, settled } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../scope/scopes.js'
import { CallSite, CallSites, markOwnFrames, placeIn } from './call-sites.js'

describe('a call site', () => {
  function entry(): CallSite {
    return new CallSite(entry)
  }

  it('names the line of the caller’s own code', () => {
    function report(): CallSite {
      return entry()
    }
    expect(report().place).toMatch(/^at report \(.*call-sites\.test\.ts:\d+:\d+\)$/)
  })

  it('names the line of a handler without a name', () => {
    const arrow = (): CallSite => entry()
    expect([arrow, () => entry()].map((handler) => handler().place)).toEqual([
      expect.stringContaining('call-sites.test.ts'),
      expect.stringContaining('call-sites.test.ts'),
    ])
  })

  it('passes over built-ins, packages and declared folders, and names nothing rather than them', () => {
    expect([1].map(() => entry())[0]?.place).toMatch(/call-sites\.test\.ts/)
    expect(new CallSite(CallSites.prototype.capture).place).toBeUndefined()

    const elsewhere = new Error('a message with a path in it, @leasehold/core:1:1')
    elsewhere.stack =
      'Error: said in (/srv/packages/x/src/a.ts:1:1)\n    at file:///srv/packages/own/src/lease/own.js:3:9\n'
    markOwnFrames(elsewhere)
    expect(placeOf('at own (/srv/packages/own/src/other.js:1:1)', 'at mine (/srv/app.js:7:1)')).toBe(
      'at mine (/srv/app.js:7:1)',
    )
    expect(placeOf('at x (/srv/packages/x/src/b.ts:1:1)')).toBe('at x (/srv/packages/x/src/b.ts:1:1)')
    expect(placeOf('at Object.<anonymous> (/srv/app.ts:5:3)')).toBe('at Object.<anonymous> (/srv/app.ts:5:3)')
    expect(placeOf('at Array.map (<anonymous>)', 'at new Promise (<anonymous>)', 'at f (node:net:1:1)')).toBeUndefined()
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

  it('is named from what somebody’s Error.prepareStackTrace makes of a stack, or not at all', () => {
    const site = (): string | undefined => {
      const { place } = entry()
      markOwnFrames(new Error('where it lies'))
      return place
    }
    const { prepareStackTrace } = Error
    const throwing = (): never => {
      throw new Error('not prepared for that')
    }
    try {
      Error.prepareStackTrace = (_error, frames) => frames
      expect(site()).toMatch(/at site \(.*call-sites\.test\.ts/)
      Error.prepareStackTrace = () => undefined
      expect(site()).toBeUndefined()
      Error.prepareStackTrace = throwing
      expect(site()).toBeUndefined()
    } finally {
      if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
      else Error.prepareStackTrace = prepareStackTrace
    }
  })

  it('is captured though Error is frozen', () => {
    const limit = Error.stackTraceLimit
    Object.defineProperty(Error, 'stackTraceLimit', { writable: false })
    try {
      expect(entry().place).toContain('call-sites.test.ts')
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', { value: limit, writable: true })
    }
  })

  it('is not captured again for an adapter whose caller’s line was not of the sample, or each sample would be its own', async () => {
    const { pool } = openFakePool({ captureSites: 'adaptive', max: 1_000 })
    const sites: unknown[] = []
    const list = async function list(): Promise<void> {
      const site = pool.captureSite(list)
      await pool.calledFrom(site, () => pool.use(() => sites.push(pool.snapshot().holders[0]?.site)))
    }
    for (let query = 0; query < 256; query += 1) await list()

    const named = sites.filter((site) => site !== undefined)
    expect(named).toEqual(named.map(() => expect.stringContaining('call-sites.test.ts') as unknown))
    expect(named).toHaveLength(2)
  })

  it('is the one that an adapter names, for what it asks for at once and for nothing after it', async () => {
    const { pool } = openFakePool({ captureSites: 'always' })
    const site = { place: 'at list (orders.ts:7:1)' }
    const sites = (): unknown[] => pool.snapshot().holders.map((holder) => holder.site)

    await pool.calledFrom(site, async () => {
      await pool.calledFrom({ place: 'at inner' }, () => pool.acquire())
      await pool.acquire()
    })
    await pool.calledFrom(site, () => pool.acquire())
    expect(() =>
      pool.calledFrom(site, () => {
        throw new Error('before it asked')
      }),
    ).toThrow('before it asked')
    await pool.acquire()

    expect(sites()).toEqual([
      'at inner',
      expect.stringContaining('call-sites.test.ts'),
      'at list (orders.ts:7:1)',
      expect.stringContaining('call-sites.test.ts'),
    ])
  })
})

function placeOf(...frames: string[]): string | undefined {
  return placeIn(['Error', ...frames.map((frame) => `    ${frame}`)].join('\n'))
}

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

  it('takes no more than a sample in four milliseconds, and a few in advance, however many leases there are', () => {
    let now = 0
    const sites = new CallSites('adaptive', () => now)
    const samplesOf = (leases: number): number => {
      let samples = 0
      for (let lease = 0; lease < leases; lease += 1) if (sites.capture('busy', samplesOf) !== undefined) samples += 1
      return samples
    }
    const inAdvance = samplesOf(128 * 1_000)
    expect(inAdvance).toBeLessThan(20)
    now = 40
    expect(samplesOf(128 * 1_000)).toBe(10)
    now = 1_000
    expect(samplesOf(128 * 1_000)).toBe(inAdvance)
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
    for (const [captureSites, expected] of [
      ['off', 0],
      ['always', 3],
    ] as const) {
      const { pool } = openFakePool({ captureSites })
      for (let count = 0; count < 3; count++) await pool.acquire()
      await settled()
      expect(pool.snapshot().holders.filter(({ site }) => site !== undefined)).toHaveLength(expected)
    }
  })
})
