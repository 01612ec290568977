import { useClient } from '@leasehold/testkit/postgres'
import type * as pg from 'pg'
import { afterAll, beforeEach } from 'vitest'

/**
 * Gives a test file a table `notes` with two rows before each test, and a role of this name that may do anything with it;
 * returns a connection beside all pools.
 */
export function useNotes(database: { readonly url: string }, role: string): Pick<pg.Client, 'query'> {
  const admin = useClient(
    database,
    `create role ${role}; create table notes (id int, note text); grant all on notes to ${role}`,
  )
  beforeEach(() => admin.query('truncate notes; insert into notes values (1, $$one$$), (2, $$two$$)'))
  afterAll(() => admin.query(`drop owned by ${role}; drop role ${role}`))
  return admin
}
