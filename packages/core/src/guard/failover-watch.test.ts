import { describe, expect, it } from 'vitest'
import { FailoverWatch } from './failover-watch.js'

describe('connections are replaced all together', () => {
  it('when two sessions end by a shutdown within a second, but not for a single one that somebody has killed', () => {
    const watch = new FailoverWatch()
    expect([0, 5_000, 9_000].map((now) => watch.farewell(now))).toEqual([false, false, false])
    expect(watch.farewell(10_000)).toBe(true)
  })

  it('once for a whole pool of farewells', () => {
    const watch = new FailoverWatch()
    const said = Array.from({ length: 20 }, (_, at) => watch.farewell(at))
    expect(said.filter(Boolean)).toHaveLength(1)
  })

  it('ever more rarely where that goes on not helping, and at once again after some peace', () => {
    const watch = new FailoverWatch()
    const replaced: number[] = []
    for (let now = 0; now < 300_000; now += 1_000) if (watch.takesNoWrites(now)) replaced.push(now / 1_000)
    expect(replaced).toEqual([0, 5, 15, 35, 75, 135, 195, 255])
    expect(watch.takesNoWrites(1_000_000)).toBe(true)
    expect([watch.takesNoWrites(1_004_999), watch.takesNoWrites(1_005_000)]).toEqual([false, true])
  })
})
