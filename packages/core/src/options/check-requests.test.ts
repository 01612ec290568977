import { describe, expect, it } from 'vitest'
import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { checkAcquireRequest } from './check-acquire-request.js'
import { checkScopeOptions } from './check-scope-options.js'

const check: { acquire: (request: unknown) => void; scope: (options: unknown) => void } = {
  acquire: checkAcquireRequest,
  scope: checkScopeOptions,
}

function faultsOf(run: () => void): readonly string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults.map((fault) => fault.option)
    throw error
  }
  return []
}

const SIGNAL = new AbortController().signal
const SIGNAL_OF_ANOTHER_REALM = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} }

describe('an acquire request', () => {
  it.each([
    {},
    { timeoutMs: 0 },
    { timeoutMs: 12.5 },
    { timeoutMs: Infinity },
    { signal: SIGNAL },
    { signal: SIGNAL_OF_ANOTHER_REALM },
    { priority: 'high' },
    { priority: 'normal' },
    { priority: 'low' },
    { label: 'nightly job', hold: 'long' },
    { timeoutMs: undefined, signal: undefined, nonsense: undefined },
  ])('is taken when it is right: %o', (request) => {
    expect(faultsOf(() => check.acquire(request))).toEqual([])
  })

  it.each([
    ['timeoutMs', -1],
    ['timeoutMs', NaN],
    ['timeoutMs', '500'],
    ['timeoutMs', null],
    ['signal', {}],
    ['signal', 'abort'],
    ['signal', new AbortController()],
    ['priority', 'urgent'],
    ['priority', 1],
    ['label', ''],
    ['label', 5],
    ['hold', 'short'],
    ['hold', true],
    ['timeoutMS', 5],
    ['toString', 5],
  ])('is refused when %s is %o', (name, value) => {
    expect(faultsOf(() => check.acquire({ [name]: value }))).toEqual([name])
  })

  it.each([null, 5, 'now', [], () => {}])('is refused when it is no object: %o', (request) => {
    expect(faultsOf(() => check.acquire(request))).toEqual(['options'])
  })

  it('is refused with all its faults together', () => {
    expect(faultsOf(() => check.acquire({ timeoutMs: -1, priority: 'x', wait: 5 }))).toEqual([
      'timeoutMs',
      'priority',
      'wait',
    ])
    expect(() => check.acquire({ timeout: 5 })).toThrow('did you mean timeoutMs?')
  })
})

describe('the options of a scope', () => {
  it.each([
    { label: 'GET /orders/:id' },
    { label: 'job', signal: SIGNAL, deadlineMs: 1.5, priority: 'low', mode: 'session' },
    { label: 'job', deadlineMs: Infinity, mode: 'statement' },
    { label: 'job', mode: undefined },
    { label: 'job', settings: { role: 'reader', 'app.tenant_id': 42, row_security: true } },
    { label: 'job', settings: () => ({}) },
  ])('are taken when they are right: %o', (options) => {
    expect(faultsOf(() => check.scope(options))).toEqual([])
  })

  it.each([
    [{ label: 'job', signal: 1 }, ['signal']],
    [{ label: 'job', deadlineMs: -1 }, ['deadlineMs']],
    [{ label: 'job', mode: 'row' }, ['mode']],
    [{ label: 'job', priority: 'vip' }, ['priority']],
    [{ label: 'job', settings: { 'a b': '1' } }, ['settings.(a name)']],
    [{ label: 'job', settings: { "x'; drop table t; --": '1' } }, ['settings.(a name)']],
    [{ label: 'job', settings: { role: null } }, ['settings.role']],
    [{ label: 'job', settings: { role: NaN } }, ['settings.role']],
    [{ label: 'job', settings: { 'app.x': 1, 'App.X': 2 } }, ['settings.App.X']],
    [{ label: 'job', settings: 'role' }, ['settings']],
    [{ label: 'job', poolSettings: { main: {} } }, ['poolSettings']],
    [{ label: 'job', deadline: 5 }, ['deadline']],
    [{ label: '' }, ['label']],
  ])('are refused when one is wrong: %o', (options, faults) => {
    expect(faultsOf(() => check.scope(options))).toEqual(faults)
  })

  it('must have a label, whose absence is listed with the rest', () => {
    expect(faultsOf(() => check.scope({}))).toEqual(['label'])
    expect(faultsOf(() => check.scope({ label: undefined, mode: 'row' }))).toEqual(['label', 'mode'])
  })

  it.each([undefined, null, 'job', []])('are refused when they are no object: %o', (options) => {
    expect(faultsOf(() => check.scope(options))).toEqual(['options'])
  })
})
