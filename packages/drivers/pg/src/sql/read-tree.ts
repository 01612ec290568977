import type { PinKind } from '@leasehold/core'
import { isTrue } from './is-true.js'
import { lockKey } from './lock-key.js'
import { settingEffect } from './setting-effect.js'

/** A node of the parse tree of libpg-query, or a part of one. */
export type Tree = Readonly<Record<string, unknown>>

/** What the parse tree of a statement says that it does; a second opinion to that of `readStatement`. */
export interface TreeReading {
  /** What the statement itself is: `SET`, `CREATE TABLE`, `SELECT`. Undefined for those about which nothing is known. */
  readonly command: string | undefined
  readonly control: string | undefined
  /** Each as `does kind name`, with ` local` where it ends with the transaction; none for calls of functions. */
  readonly effects: readonly string[]
  /** Names of functions that it calls, with their schema if they have one that is not the server's. */
  readonly calls: readonly TreeCall[]
}

export interface TreeCall {
  readonly name: string
  readonly hasSchema: boolean
  /** Its arguments where they are constants. */
  readonly constants: ReadonlyArray<string | undefined>
}

const HOLD = 0x20
const OBJECTS: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'TABLE',
  OBJECT_VIEW: 'VIEW',
  OBJECT_SEQUENCE: 'SEQUENCE',
  OBJECT_TYPE: 'TYPE',
  OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
}

type StatementReader = (reading: TreeDraft, node: Tree) => void

const READERS: Readonly<Record<string, StatementReader>> = {
  SelectStmt: readSelect,
  InsertStmt: queryNamed('INSERT'),
  UpdateStmt: queryNamed('UPDATE'),
  DeleteStmt: queryNamed('DELETE'),
  MergeStmt: queryNamed('MERGE'),
  VariableSetStmt: readVariable,
  TransactionStmt: readTransaction,
  DiscardStmt: (reading, { target }) => {
    reading.command = String(target).replace('_', ' ')
    if (target === 'DISCARD_TEMP') reading.effects.push('clear temp *')
    if (target !== 'DISCARD_ALL') return
    for (const kind of ['cursor', 'role', 'setting', 'prepared', 'listen', 'advisory-lock', 'temp']) {
      reading.effects.push(`clear ${kind} *`)
    }
  },
  PrepareStmt: (reading, { name }) => reading.does('PREPARE', 'set', 'prepared', name),
  DeallocateStmt: (reading, { name }) => reading.does('DEALLOCATE', 'clear', 'prepared', name),
  ExecuteStmt: (reading, { name, params }) => {
    reading.does('EXECUTE', 'set', 'unknown', `execute ${String(name)}`)
    reading.runs(params)
  },
  ListenStmt: (reading, { conditionname }) => reading.does('LISTEN', 'set', 'listen', conditionname),
  UnlistenStmt: (reading, { conditionname }) => reading.does('UNLISTEN', 'clear', 'listen', conditionname),
  DeclareCursorStmt: (reading, { portalname, options, query }) => {
    reading.does('DECLARE CURSOR', 'set', 'cursor', portalname, (Number(options) & HOLD) === 0)
    reading.runs(query)
  },
  ClosePortalStmt: (reading, { portalname }) => reading.does('CLOSE CURSOR', 'clear', 'cursor', portalname),
  LoadStmt: (reading, { filename }) => reading.does('LOAD', 'set', 'library', filename),
  CallStmt: (reading, { funccall }) => {
    reading.command = 'CALL'
    reading.runs({ FuncCall: funccall })
  },
  DoStmt: command('DO'),
  ExplainStmt: readExplain,
  CopyStmt: (reading, { query, whereClause }) => {
    reading.command = 'COPY'
    reading.runs([query, whereClause])
  },
  CreateStmt: (reading, { relation, oncommit }) => {
    reading.command = 'CREATE TABLE'
    reading.makes(relation, '', oncommit === 'ONCOMMIT_DROP')
  },
  CreateTableAsStmt: (reading, { into, query, objtype }) => {
    reading.command = `CREATE ${OBJECTS[String(objtype)] ?? ''}`
    const { rel, onCommit } = treeOf(into)
    reading.makes(rel, '', onCommit === 'ONCOMMIT_DROP')
    reading.runsStatement(query)
  },
  ViewStmt: (reading, { view }) => {
    reading.command = 'CREATE VIEW'
    reading.makes(view)
  },
  CreateSeqStmt: (reading, { sequence }) => {
    reading.command = 'CREATE SEQUENCE'
    reading.makes(sequence)
  },
  CreateFunctionStmt: (reading, { funcname, is_procedure: isProcedure }) => {
    reading.command = isProcedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'
    reading.makesNamed(funcname, isProcedure === true ? 'procedure ' : 'function ')
  },
  CompositeTypeStmt: (reading, { typevar }) => {
    reading.command = 'CREATE TYPE'
    reading.makes(typevar)
  },
  CreateEnumStmt: (reading, { typeName }) => {
    reading.command = 'CREATE TYPE'
    reading.makesNamed(typeName)
  },
  CreateRangeStmt: (reading, { typeName }) => {
    reading.command = 'CREATE TYPE'
    reading.makesNamed(typeName)
  },
  CreateDomainStmt: (reading, { domainname }) => {
    reading.command = 'CREATE DOMAIN'
    reading.makesNamed(domainname)
  },
  DropStmt: readDrop,
  RenameStmt: (reading, { renameType, relation, object }) => {
    if (OBJECTS[String(renameType)] === undefined || renameType === 'OBJECT_MATVIEW') return
    const { relname, schemaname } = treeOf(relation)
    const names = relname === undefined ? stringsOf(treeOf(treeOf(object)['List'])['items']) : [schemaname, relname]
    const schema = names.length > 1 ? names.at(-2) : undefined
    if (schema === undefined || isTemporary(schema)) reading.effects.push(`rename temp ${String(names.at(-1))}`)
  },
  AlterTableStmt: (reading, { cmds, objtype }) => {
    if (objtype === 'OBJECT_TABLE') reading.runs(cmds)
  },
}

/** Reads the tree of one statement: `{ SelectStmt: { … } }`. */
export function readTree(statement: unknown): TreeReading {
  const reading = new TreeDraft()
  reading.runsStatement(statement)
  return reading
}

class TreeDraft implements TreeReading {
  command: string | undefined
  control: string | undefined
  readonly effects: string[] = []
  readonly calls: TreeCall[] = []

  does(said: string, does: 'set' | 'clear', kind: PinKind, name: unknown, isLocal = false): void {
    this.command = said
    this.effects.push(`${does} ${kind} ${typeof name === 'string' ? name : '*'}${isLocal ? ' local' : ''}`)
  }

  makes(relation: unknown, prefix = '', isLocal = false): void {
    const { relname, schemaname, relpersistence } = treeOf(relation)
    if (relpersistence !== 't' && !isTemporary(schemaname)) return
    this.effects.push(`set temp ${prefix}${String(relname)}${isLocal ? ' local' : ''}`)
  }

  makesNamed(names: unknown, prefix = ''): void {
    const parts = stringsOf(names)
    if (parts.length > 1 && isTemporary(parts.at(-2))) this.effects.push(`set temp ${prefix}${String(parts.at(-1))}`)
  }

  /** Reads a statement, or one in another, which leaves this one's command as it is. */
  runsStatement(statement: unknown): void {
    const [type, node] = Object.entries(treeOf(statement))[0] ?? []
    if (type === undefined) return
    const { command: said } = this
    READERS[type]?.(this, treeOf(node))
    this.command = said ?? this.command
    if (QUERIES.has(type)) this.runs(statement)
  }

  /** Finds every call in an expression or a query. */
  runs(part: unknown): void {
    if (Array.isArray(part)) {
      for (const item of part) this.runs(item)
    } else if (typeof part === 'object' && part !== null) {
      for (const [name, value] of Object.entries(part)) {
        if (name === 'FuncCall') this.#call(treeOf(value))
        else if (name === 'UpdateStmt') this.#updates(treeOf(value))
        this.runs(value)
      }
    }
  }

  /** A rule of the view of settings sets what is updated. */
  #updates({ relation }: Tree): void {
    const { relname, schemaname } = treeOf(relation)
    const isServers = schemaname === undefined || schemaname === 'pg_catalog'
    if (relname === 'pg_settings' && isServers) this.effects.push('set setting *')
  }

  #call({ funcname, args }: Tree): void {
    const names = stringsOf(funcname)
    const hasSchema = names.length > 1 && names.at(-2) !== 'pg_catalog'
    const constants = Array.isArray(args) ? args.map(constantOf) : []
    this.calls.push({ name: hasSchema ? names.join('.') : (names.at(-1) ?? ''), hasSchema, constants })
  }
}

const QUERIES: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

function queryNamed(said: string): StatementReader {
  return (reading, { withClause }) => void (reading.command = withClause === undefined ? said : 'WITH')
}

function command(said: string): StatementReader {
  return (reading) => void (reading.command = said)
}

function readSelect(reading: TreeDraft, node: Tree): void {
  const { withClause, intoClause } = node
  reading.command = withClause === undefined ? 'SELECT' : 'WITH'
  const leftmost = leftmostOf(node)
  reading.makes(treeOf(intoClause ?? leftmost['intoClause'])['rel'])
}

function leftmostOf(select: Tree): Tree {
  const { larg } = select
  return larg === undefined ? select : leftmostOf(treeOf(larg))
}

function readVariable(reading: TreeDraft, { kind, name, args, is_local: isLocal }: Tree): void {
  const isReset = kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL'
  reading.command = isReset ? 'RESET' : 'SET'
  if (kind === 'VAR_RESET_ALL') reading.effects.push('clear setting *')
  else if (kind === 'VAR_SET_MULTI') readSeveral(reading, name, args, isLocal === true)
  else {
    const isNoRole =
      String(name).toLowerCase() === 'role' && constantOf((args as unknown[] | undefined)?.[0]) === 'none'
    const does = isReset || kind === 'VAR_SET_DEFAULT' || isNoRole ? 'clear' : 'set'
    bookSetting(reading, does, String(name), isLocal === true)
    const values = Array.isArray(args) ? args.map(constantOf) : []
    if (does === 'set' && String(name).toLowerCase() === 'search_path' && values.some(isTemporary)) {
      reading.effects.push('set temp *')
    }
  }
}

function readSeveral(reading: TreeDraft, name: unknown, args: unknown, isLocal: boolean): void {
  if (name === 'SESSION CHARACTERISTICS') {
    const settings = new Set((args as unknown[]).map((arg) => `default_${String(definition(arg).name)}`))
    for (const setting of settings) bookSetting(reading, 'set', setting, isLocal)
  } else reading.control = 'set-modes'
}

function bookSetting(reading: TreeDraft, does: 'set' | 'clear', name: string, isLocal: boolean): void {
  const effect = settingEffect(name)
  if (effect === undefined) return
  reading.effects.push(`${does} ${effect.kind} ${effect.name}${isLocal ? ' local' : ''}`)
  if (effect.name === 'session_authorization') {
    reading.effects.push(`clear role role${isLocal ? ' local' : ''}`)
  }
}

const CONTROLS: Readonly<Record<string, readonly [command: string, control: string | undefined]>> = {
  TRANS_STMT_BEGIN: ['BEGIN', 'begin'],
  TRANS_STMT_START: ['START TRANSACTION', 'begin'],
  TRANS_STMT_COMMIT: ['COMMIT', 'commit'],
  TRANS_STMT_ROLLBACK: ['ROLLBACK', 'rollback'],
  TRANS_STMT_SAVEPOINT: ['SAVEPOINT', 'savepoint'],
  TRANS_STMT_RELEASE: ['RELEASE', 'release-savepoint'],
  TRANS_STMT_ROLLBACK_TO: ['ROLLBACK', 'rollback-to-savepoint'],
  TRANS_STMT_PREPARE: ['PREPARE TRANSACTION', 'prepare-transaction'],
  TRANS_STMT_COMMIT_PREPARED: ['COMMIT PREPARED', undefined],
  TRANS_STMT_ROLLBACK_PREPARED: ['ROLLBACK PREPARED', undefined],
}

function readTransaction(reading: TreeDraft, { kind, savepoint_name: savepoint, chain }: Tree): void {
  const [said, control] = CONTROLS[String(kind)] ?? []
  reading.command = said
  reading.control = control
  if (typeof savepoint === 'string') reading.control = `${String(control)} ${savepoint}`
  if (chain === true) reading.control = `${String(control)} chain`
}

function readExplain(reading: TreeDraft, { query, options }: Tree): void {
  reading.command = 'EXPLAIN'
  let isRun = false
  for (const option of Array.isArray(options) ? options : []) {
    const { name, value } = definition(option)
    if (name === 'analyze') isRun = value === undefined || isTrue(value)
  }
  if (isRun) reading.runsStatement(query)
}

function readDrop(reading: TreeDraft, { objects, removeType }: Tree): void {
  const object = OBJECTS[String(removeType)]
  if (object === undefined) return
  reading.command = `DROP ${object}`
  if (removeType === 'OBJECT_MATVIEW') return
  for (const item of objects as unknown[]) {
    const { List: list, TypeName: type } = treeOf(item)
    const names = stringsOf(treeOf(list)['items'] ?? treeOf(type)['names'])
    if (names.length === 1 || isTemporary(names.at(-2))) reading.effects.push(`clear temp ${String(names.at(-1))}`)
  }
}

function isTemporary(schema: unknown): boolean {
  return typeof schema === 'string' && /^pg_temp(?:_\d+)?$/.test(schema)
}

function treeOf(node: unknown): Tree {
  return typeof node === 'object' && node !== null ? (node as Tree) : {}
}

function stringsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map((item) => String(treeOf(treeOf(item)['String'])['sval'])) : []
}

function definition(option: unknown): { readonly name: unknown; readonly value: string | undefined } {
  const { defname, arg } = treeOf(treeOf(option)['DefElem'])
  return { name: defname, value: arg === undefined ? undefined : constantOf(arg) }
}

/** The text of a constant, through casts; undefined of anything else. */
function constantOf(node: unknown): string | undefined {
  const { A_Const: value, TypeCast: cast, NamedArgExpr: named, String: text, Integer: integer } = treeOf(node)
  if (cast !== undefined) return constantOf(treeOf(cast)['arg'])
  if (named !== undefined) return constantOf(treeOf(named)['arg'])
  if (text !== undefined) return String(treeOf(text)['sval'])
  if (integer !== undefined) return constant(treeOf(integer)['ival'], '0')
  const { sval, ival, fval, boolval } = treeOf(value)
  if (sval !== undefined) return constant(treeOf(sval)['sval'], '')
  if (ival !== undefined) return constant(treeOf(ival)['ival'], '0')
  if (fval !== undefined) return lockKey(treeOf(fval)['fval'])
  return boolval === undefined ? undefined : constant(treeOf(boolval)['boolval'], 'false')
}

/** The parser leaves out what is empty, zero or false. */
function constant(value: unknown, left: string): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : left
}
