import { mayMakeTemporary } from './may-make-temporary.js'
import { readTransactionModes } from './read-transaction-modes.js'
import { settingEffect } from './setting-effect.js'
import type { StatementDraft } from './statement-draft.js'
import type { BoundValue } from './statement-reading.js'
import type { Tokens } from './tokens.js'

/** Settings with a syntax of their own. */
const SPECIAL: Readonly<Record<string, string>> = { names: 'client_encoding', schema: 'search_path', role: 'role' }

/** Whether what a setting is set to ends with the transaction. */
interface Locality {
  readonly isLocal: boolean
  readonly isLocalIf?: BoundValue | undefined
}

/** `SET …` in all its forms. */
export function readSet(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const scope = tokens.word(from + 1)
  const isScoped = (scope === 'session' || scope === 'local') && !isName(tokens, from + 1)
  const at = isScoped ? from + 2 : from + 1
  const local = { isLocal: isScoped && scope === 'local' }
  // SET SESSION AUTHORIZATION and SET SESSION CHARACTERISTICS begin as SET SESSION x does.
  if (scope === 'session' && readSession(draft, tokens, isScoped ? from + 1 : at, to, local)) return
  if (!readSession(draft, tokens, at, to, local)) readSetting(draft, tokens, at, to, local)
}

/** Books what becomes of a setting. */
export function bookSetting(draft: StatementDraft, does: 'set' | 'clear', name: string, local: Locality): void {
  const effect = settingEffect(name)
  if (effect === undefined) return
  const circumstances = { ...local, isTransactional: effect.isTransactional }
  if (does === 'set') draft.set(effect.kind, effect.name, circumstances)
  else draft.clear(effect.kind, effect.name, circumstances)
  // With the session's user goes the role that it had taken on.
  if (effect.name === 'session_authorization') draft.clear('role', 'role', local)
}

/** Whether the word is the name of a setting, and not one of the words of `SET`. */
function isName(tokens: Tokens, at: number): boolean {
  const next = tokens.word(at + 1)
  return next === '.' || next === '=' || next === 'to' || next === 'from'
}

/** `SESSION AUTHORIZATION …` and `SESSION CHARACTERISTICS …` */
function readSession(draft: StatementDraft, tokens: Tokens, at: number, to: number, local: Locality): boolean {
  if (tokens.word(at) !== 'session' || isName(tokens, at)) return false
  if (tokens.word(at + 1) === 'authorization' && !isName(tokens, at + 1)) {
    const isDefault = tokens.word(at + 2) === 'default'
    bookSetting(draft, isDefault ? 'clear' : 'set', 'session_authorization', local)
    return true
  }
  if (!tokens.says(at + 1, 'characteristics', 'as', 'transaction')) return false
  const { isolation, readOnly, deferrable } = readTransactionModes(tokens, at + 4, to)
  if (isolation !== undefined) bookSetting(draft, 'set', 'default_transaction_isolation', local)
  if (readOnly !== undefined) bookSetting(draft, 'set', 'default_transaction_read_only', local)
  if (deferrable !== undefined) bookSetting(draft, 'set', 'default_transaction_deferrable', local)
  return true
}

function readSetting(draft: StatementDraft, tokens: Tokens, at: number, to: number, local: Locality): void {
  const word = tokens.word(at)
  if (isName(tokens, at) || !readSpecial(draft, tokens, at, to, local)) {
    const end = tokens.afterName(at)
    const name = tokens.qualifiedName(at, end)
    if (name === undefined) return
    const isDefault = tokens.word(end + 1) === 'default' && end + 2 === to
    const isNoRole = word === 'role' && valueAt(tokens, end + 1) === 'none'
    bookSetting(draft, isDefault || isNoRole ? 'clear' : 'set', name, local)
    if (!isDefault && name.toLowerCase() === 'search_path') bookSearchPath(draft, tokens, end + 1, to)
  }
}

/** The forms of `SET` that have no sign between name and value. */
function readSpecial(draft: StatementDraft, tokens: Tokens, at: number, to: number, local: Locality): boolean {
  const word = tokens.word(at)
  if (word === 'transaction') {
    draft.control = { is: 'set-modes', modes: readTransactionModes(tokens, at + 1, to) }
    return true
  }
  // Each transaction begins anew.
  if (word === 'constraints') return true
  if (tokens.says(at, 'time', 'zone')) {
    const isDefault = ['default', 'local'].includes(tokens.word(at + 2))
    bookSetting(draft, isDefault ? 'clear' : 'set', 'timezone', local)
    return true
  }
  if (tokens.says(at, 'xml', 'option')) {
    bookSetting(draft, 'set', 'xmloption', local)
    return true
  }
  const name = Object.hasOwn(SPECIAL, word) ? SPECIAL[word] : undefined
  if (name === undefined) return false
  const isDefault =
    (word === 'names' && (at + 1 === to || tokens.word(at + 1) === 'default')) ||
    (word === 'role' && valueAt(tokens, at + 1) === 'none')
  bookSetting(draft, isDefault ? 'clear' : 'set', name, local)
  if (word === 'schema') bookSearchPath(draft, tokens, at + 1, to)
  return true
}

/**
 * With the schema of temporary objects in the search path, what is made without naming a schema may be temporary: and stays,
 * even if the path is set for a transaction only.
 */
function bookSearchPath(draft: StatementDraft, tokens: Tokens, from: number, to: number): void {
  const names: string[] = []
  for (let at = from; at < to; at += 1) names.push(valueAt(tokens, at) ?? '')
  if (mayMakeTemporary(names)) draft.set('temp', undefined)
}

function valueAt(tokens: Tokens, at: number): string | undefined {
  return tokens.literal(at) ?? tokens.name(at)
}
