import type * as Parser from 'libpg-query'
import { describeEffect } from './describe-effect.js'
import { KNOWN_FUNCTIONS } from './known-functions.js'
import { readStatement } from './read-statement.js'
import { readTree, type TreeCall, type TreeReading } from './read-tree.js'
import { STATEFUL_FUNCTIONS } from './stateful-functions.js'
import type { ReadEffect, ReadStatement, StatementReading } from './statement-reading.js'

/** Not spelled out at the import: a bundler would want it to be there. */
const PARSER: string = 'libpg-query'

/** Nobody knows what it does. */
const DOUBTED: ReadEffect = {
  does: 'set',
  kind: 'unknown',
  name: 'a statement that the parser reads otherwise',
  isTransactional: false,
  isLocal: false,
  isLocalIf: undefined,
}

/**
 * Loads PostgreSQL's own parser, the optional peer `libpg-query`, and returns a reader whose every reading it confirms: a
 * statement in which the parser sees more than `readStatement` does, or which it does not accept, is `unknown` besides.
 * Such a reader is several times slower. Rejects if `libpg-query` is not installed.
 */
export async function loadStrictReader(): Promise<(text: string) => StatementReading> {
  const { loadModule, parseSync } = (await import(PARSER)) as typeof Parser
  await loadModule()
  return (text) => {
    const reading = readStatement(text)
    const trees = treesOf(() => parseSync(text))
    const isSplitAlike = trees?.length === reading.statements.length
    const statements = reading.statements.map((statement, at) =>
      isSplitAlike && isConfirmed(statement, readTree(trees[at])) ? statement : doubted(statement),
    )
    const isPlain = reading.isPlain && statements.every((statement, at) => statement === reading.statements[at])
    return { statements, isPlain }
  }
}

/** The trees of a text; undefined if the parser does not accept it. */
function treesOf(parse: () => { readonly stmts?: unknown }): readonly unknown[] | undefined {
  try {
    const { stmts } = parse()
    return Array.isArray(stmts) ? stmts.map((raw: { readonly stmt?: unknown }) => raw.stmt) : []
  } catch {
    return undefined
  }
}

function doubted(statement: ReadStatement): ReadStatement {
  return { ...statement, effects: [...statement.effects, DOUBTED] }
}

/** Whether the reading says all that the tree does. It may say more: the body of a DO is but a text to the parser. */
function isConfirmed(statement: ReadStatement, tree: TreeReading): boolean {
  if (tree.control?.split(' ')[0] !== statement.control?.is) return false
  const said = new Set(statement.effects.map(describeEffect))
  return tree.effects.every((effect) => said.has(effect)) && tree.calls.every((call) => isSeen(statement, call))
}

/** Whether a call is among those that the reading tells of; those of the server that do nothing are not told of. */
function isSeen({ effects, functions }: ReadStatement, { name, hasSchema, constants }: TreeCall): boolean {
  if (functions.includes(name)) return true
  if (hasSchema) return STATEFUL_FUNCTIONS.get(name.slice(name.lastIndexOf('.') + 1))?.isExtension === true
  const kind = kindOf(name, constants[0])
  if (kind !== undefined) return effects.some((effect) => effect.kind === kind)
  return STATEFUL_FUNCTIONS.has(name) || KNOWN_FUNCTIONS.has(name) || OF_SYNTAX.has(name)
}

/** Of what kind the effect of a call must be, where there must be one. */
function kindOf(name: string, first: string | undefined): string | undefined {
  if (name === 'setseed') return 'unknown'
  if (/^pg_(?:try_)?advisory_(?:un)?lock/.test(name)) return 'advisory-lock'
  if (name !== 'set_config' || first === undefined) return undefined
  if (/^transaction_(?:isolation|read_only|deferrable)$/i.test(first)) return undefined
  return /^(?:role|session_authorization)$/i.test(first) ? 'role' : /^seed$/i.test(first) ? 'unknown' : 'setting'
}

/** What the parser makes of operators and keywords. */
const OF_SYNTAX: ReadonlySet<string> = new Set(
  (
    'extract overlay position substring normalize xmlexists timezone like_escape similar_to_escape pg_collation_for ' +
    'is_normalized json_object btrim ltrim rtrim left right'
  ).split(' '),
)
