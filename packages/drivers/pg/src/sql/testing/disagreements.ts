import { describeEffect } from '../describe-effect.js'
import { KNOWN_FUNCTIONS } from '../known-functions.js'
import { NEVER_CALLED } from '../never-called.js'
import { readStatement } from '../read-statement.js'
import { readTree } from '../read-tree.js'
import { STATEFUL_FUNCTIONS } from '../stateful-functions.js'
import type { ReadStatement } from '../statement-reading.js'

/** What our reading of a text and the tree of PostgreSQL's own parser say differently; nothing if the parser refuses it. */
export function disagreements(text: string, parse: (text: string) => { readonly stmts?: unknown }): string[] {
  let trees: ReadonlyArray<{ readonly stmt?: unknown }>
  try {
    trees = (parse(text).stmts ?? []) as typeof trees
  } catch {
    readStatement(text)
    return []
  }
  const { statements } = readStatement(text)
  if (statements.length !== trees.length) return [`${statements.length} statements, and ${trees.length} in the tree`]
  return statements.flatMap((statement, at) => compare(statement, trees[at]?.stmt).map((what) => `${at}: ${what}`))
}

function compare(read: ReadStatement, stmt: unknown): string[] {
  const tree = readTree(stmt)
  const found: string[] = []
  if (tree.command !== undefined && tree.command !== (LIKE_SELECT.has(read.command) ? 'SELECT' : read.command))
    found.push(`${read.command} is ${tree.command}`)
  const control = controlOf(read)
  if (tree.control !== control) found.push(`control ${String(control)} is ${String(tree.control)}`)
  const stateful = tree.calls.filter(({ name, hasSchema }) => !hasSchema && STATEFUL_FUNCTIONS.has(name))
  const ofCalls = stateful.length > 0 || read.command === 'DO'
  const effects = read.effects.map(describeEffect)
  for (const effect of tree.effects) if (!effects.includes(effect)) found.push(`misses ${effect}`)
  if (!ofCalls) for (const effect of effects) if (!tree.effects.includes(effect)) found.push(`imagines ${effect}`)
  for (const { name, constants } of stateful) {
    const [kind, isSet] =
      name === 'set_config'
        ? [kindOf(constants[0]), constants[1] !== 'none' && constants[0] !== undefined]
        : expected(name)
    if (kind === undefined) continue
    const isFound = read.effects.some((effect) => effect.kind === kind && (effect.does === 'set' || !isSet))
    if (!isFound && isSet) found.push(`misses the effect of ${name}`)
  }
  const called = tree.calls
    .filter(({ name, hasSchema }) => hasSchema || !(STATEFUL_FUNCTIONS.has(name) || KNOWN_FUNCTIONS.has(name)))
    .map(({ name }) => name)
  for (const name of called) {
    if (!read.functions.includes(name) && !NEVER_CALLED.has(name) && !SYNTAX.has(name)) found.push(`misses ${name}()`)
  }
  if (read.command !== 'DO')
    for (const name of read.functions) if (!called.includes(name)) found.push(`imagines ${name}()`)
  return found
}

/** Forms of SELECT to the parser. */
const LIKE_SELECT: ReadonlySet<string> = new Set(['VALUES', 'TABLE'])

/** What the parser makes of operators and keywords. */
const SYNTAX: ReadonlySet<string> = new Set([
  'timezone',
  'like_escape',
  'similar_to_escape',
  'pg_collation_for',
  'is_normalized',
  'btrim',
  'ltrim',
  'rtrim',
])

function controlOf({ control }: ReadStatement): string | undefined {
  if (control === undefined) return undefined
  if ('name' in control) return `${control.is} ${control.name}`
  return 'chain' in control && control.chain ? `${control.is} chain` : control.is
}

function kindOf(setting: string | undefined): string {
  return setting?.toLowerCase() === 'seed'
    ? 'unknown'
    : /^(?:role|session_authorization)$/i.test(setting ?? '')
      ? 'role'
      : 'setting'
}

function expected(name: string): readonly [kind: string | undefined, isSet: boolean] {
  if (/^pg_(?:try_)?advisory_lock/.test(name)) return ['advisory-lock', true]
  if (name === 'setseed') return ['unknown', true]
  return [undefined, false]
}
