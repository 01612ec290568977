import { expect, test } from 'vitest'
import { classify } from './classify.js'

test.each([
  ['query', { code: '42P01' }],
  ['query', { code: '23505' }],
  ['query', { code: '40001' }],
  ['query', { code: '57014' }],
  ['query', { code: '42501' }],
  ['query', new Error('something else')],
  ['query', undefined],
  ['saturated', { code: '53300' }],
  ['saturated', { code: '08P01', message: 'no more connections allowed (max_client_conn)' }],
  ['read-only', { code: '25006' }],
  ['denied', { code: '28P01' }],
  ['denied', { code: '28000' }],
  ['denied', { code: '3D000' }],
  ['transient', { code: 'ECONNREFUSED' }],
  ['transient', { code: 'ENOTFOUND' }],
  ['transient', { code: '57P03', severity: 'FATAL' }],
  ['fatal', { code: 'ECONNRESET' }],
  ['fatal', { code: 'EPIPE' }],
  ['fatal', { code: '57P01', severity: 'FATAL' }],
  ['fatal', { code: '57P01', severity: 'ВАЖНО' }],
  ['fatal', { code: '25P03' }],
  ['fatal', { code: 'XX000', severity: 'PANIC' }],
  ['fatal', { code: '08006' }],
  ['fatal', new Error('Connection terminated unexpectedly')],
  ['fatal', new Error('Client has encountered a connection error and is not queryable')],
])('%s is what %o means', (kind, error) => {
  expect(classify(error)).toBe(kind)
})
