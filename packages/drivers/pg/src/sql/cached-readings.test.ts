import { expect, test } from 'vitest'
import { CachedReadings } from './cached-readings.js'

test('a text that was read before is not read again', () => {
  const readings = new CachedReadings()
  expect(readings.read('set a = 1')).toBe(readings.read(['set a', '= 1'].join(' ')))
})

test('no more texts are kept than allowed, and what is asked for again and again stays', () => {
  const readings = new CachedReadings({ texts: 100 })
  const first = readings.read('select first')
  for (let text = 0; text < 10_000; text += 1) {
    readings.read(`select ${text}`)
    if (text % 20 === 0) expect(readings.read('select first')).toBe(first)
    expect(readings.size).toBeLessThanOrEqual(100)
  }
})

test('long texts are read and not kept, and all together have no more characters than allowed', () => {
  const readings = new CachedReadings({ longest: 50, characters: 1_000 })
  const long = `set a = '${'x'.repeat(50)}'`
  expect(readings.read(long).statements).toHaveLength(1)
  expect(readings.read(long)).not.toBe(readings.read(long))
  expect(readings.size).toBe(0)
  for (let text = 0; text < 1_000; text += 1) readings.read(`select ${text}`.padEnd(50))
  expect(readings.size * 50).toBeLessThanOrEqual(1_000)
})

test('a reading does not keep the text alive that it was made from, nor its tokens', () => {
  const reading = new CachedReadings().read('select 1')
  expect(Object.keys(reading.statements[0] ?? {})).not.toContain('tokens')
  expect(JSON.stringify(reading)).not.toContain('select 1')
})

test('a session that escapes with backslashes gets readings of its own', () => {
  const readings = new CachedReadings()
  const text = `select 'it\\'; set a = 1; --'`
  expect(readings.read(text).statements).toHaveLength(2)
  expect(readings.read(text, 'escaped').statements).toHaveLength(1)
  expect(readings.read('set a = 1', 'escaped')).toBe(readings.read('set a = 1'))
})

test('another reader reads all texts anew', () => {
  const readings = new CachedReadings()
  readings.read('select 1')
  readings.use(() => ({ statements: [], isPlain: false }))
  expect(readings.read('select 1').isPlain).toBe(false)
  expect(readings.read('select 2').isPlain).toBe(false)
})
