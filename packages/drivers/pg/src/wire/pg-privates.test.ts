// oxlint-disable eslint/no-underscore-dangle -- pg's own private names
import type * as pg from 'pg'
import { expect, test } from 'vitest'
import { activeQueryOf } from './pg-privates.js'

const query = { callback: () => {} }

/** The newest pg warns whoever reads the plain name. */
class ClientOfToday {
  readonly _activeQuery: object | null

  constructor(running: object | null) {
    this._activeQuery = running
  }

  get activeQuery(): never {
    throw new Error('Client.activeQuery is deprecated')
  }
}

test.each([
  ['pg 8.16', { activeQuery: query }, { activeQuery: null }],
  ['the newest pg', new ClientOfToday(query), new ClientOfToday(null)],
])('what runs on a client of %s is known, so that it can be ended', (_version, busy, idle) => {
  expect(activeQueryOf(busy as unknown as pg.Client)).toBe(query)
  expect(activeQueryOf(idle as unknown as pg.Client)).toBeUndefined()
})
