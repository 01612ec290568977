import { describe, expect, it } from 'vitest'
import { settingsStatement } from './settings-statement.js'

const NONE = { set: [], clear: [], keep: [] }
const LASTING = { isLocal: false, processId: undefined }

describe('the statement that makes settings', () => {
  it('binds every name and every value', () => {
    const difference = { ...NONE, set: [['app.a', `'; drop table t`]] as const, clear: ['app.b'] }

    expect(settingsStatement(difference, LASTING)).toEqual({
      text: 'SELECT pg_catalog.set_config($1,$2,false),pg_catalog.set_config($3,$4,false)',
      values: ['app.b', null, 'app.a', `'; drop table t`],
    })
  })

  it.each([
    [
      'puts a role on last',
      {
        set: [
          ['role', 'r'],
          ['x', '1'],
        ],
      },
      ['role', null, 'x', '1', 'role', 'r'],
    ],
    ['puts a role off first', { set: [['x', '1']], clear: ['role', 'y'] }, ['role', null, 'y', null, 'x', '1']],
    [
      'puts a role off for what is set beside it',
      { set: [['x', '1']], keep: [['role', 'r']] },
      ['role', null, 'x', '1', 'role', 'r'],
    ],
    ['changes a role alone by itself', { set: [['role', 'r']] }, ['role', 'r']],
    ['puts a role off by itself', { clear: ['role'] }, ['role', null]],
    ['leaves alone what is right', { set: [['x', '1']], keep: [['y', '2']] }, ['x', '1']],
  ] as const)('%s', (_what, difference, values) => {
    expect(settingsStatement({ ...NONE, ...difference }, LASTING).values).toEqual(values)
  })

  it('may be for one transaction, and for one process of the server only', () => {
    const { text, values } = settingsStatement({ ...NONE, set: [['x', '1']] }, { isLocal: true, processId: 77 })

    expect(text).toBe(
      'SELECT CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4' +
        " THEN '' ELSE pg_catalog.current_setting('leasehold.another_process') END," +
        'pg_catalog.set_config($2,$3,true)',
    )
    expect(values).toEqual(['77', 'x', '1'])
  })
})
