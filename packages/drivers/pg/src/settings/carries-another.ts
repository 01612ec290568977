import { readCached } from '../sql/read-cached.js'
import { textOf } from '../sql/text-of.js'

/** Statements that read and write rows: they mean the same in a transaction of their own and behind another statement in it. */
const ROWS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'WITH', 'VALUES', 'TABLE'])

interface Config {
  readonly name?: unknown
  readonly rows?: unknown
  readonly values?: unknown
  readonly queryMode?: unknown
}

/**
 * Whether a statement can be sent in one group with another in front of it, as with what makes the settings: it is single,
 * can be sent in the extended protocol with the same answer, and runs in a transaction with another statement before it. Of
 * everything else, and of what is not understood, the other goes ahead.
 */
export function carriesAnother(statement: unknown, values: unknown): boolean {
  const text = textOf(statement)
  // With `rows`, pg reads the answer in parts and leaves the group open between them: it would not close it after an error.
  if (text === undefined || Boolean((statement as Config).rows)) return false
  const [only, ...others] = readCached(text).statements
  if (only === undefined || others.length > 0) return false
  if (!ROWS.has(only.command) || only.control !== undefined || !only.runsInTransaction) return false
  // A `$1` to which nothing is bound is an error either way, but not the same one.
  return isExtended(statement, values) || !/\$\d/.test(text)
}

function isExtended(statement: unknown, values: unknown): boolean {
  const config: Config = typeof statement === 'object' && statement !== null ? statement : {}
  const bound = Array.isArray(values) ? values : config.values
  if (Array.isArray(bound) && bound.length > 0) return true
  return Boolean(config.name) || config.queryMode === 'extended'
}
