import { RELATIONS, ROUTINES, SERVER_FUNCTIONS } from './catalogue-queries.js'
import type { DeclaredFunctions } from './declared-functions.js'
import { mayMakeTemporary } from './may-make-temporary.js'
import { readRoutine } from './read-routine.js'
import type { ReadEffect, ReadStatement } from './statement-reading.js'
import { unknownEffect } from './unknown-effect.js'

/** Sends a statement to the database and returns its rows. */
export type CatalogueQuery = (sql: string) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>

type ReadParts = Pick<ReadStatement, 'effects' | 'functions' | 'relations'>

/** Something with a body: a function, or a table or view with all that runs when it is used. */
interface Routine {
  readonly schema: string
  readonly name: string
  /** Read when it is first asked for: a database may have thousands. */
  readonly read: () => ReadParts
}

interface Catalogue {
  readonly routines: ReadonlyMap<string, readonly Routine[]>
  readonly relations: ReadonlyMap<string, readonly Routine[]>
  /** Relations that do something to the session; found when first asked for. */
  stateful: ReadonlyMap<string, readonly ReadEffect[]> | undefined
}

const NOTHING: readonly ReadEffect[] = []
/** Loads in a row that failed: fewer may be the connection's fault, which was lost on the way. */
const MOST_FAILURES = 3
/** Names that no database has, as a text may hold any number of them. */
const MOST_ASKED = 10_000

/**
 * What the functions of one database do to the session that calls them. Those in C are harmless but for the few that the
 * reader of statements knows by name; those in SQL and PL/pgSQL are judged by their bodies and by what these call; those
 * in other languages cannot be judged, and are `unknown`.
 */
export class FunctionCatalogue {
  readonly #declared = new Map<string, DeclaredFunctions[string]>()
  readonly #asked = new Set<string>()
  readonly #judged = new Map<string, readonly ReadEffect[]>()
  /** Asked for before the last load, and not found. */
  #absent: ReadonlySet<string> = new Set()
  #catalogue: Catalogue | undefined
  /** The names of those that the server came with, which stay: by far the most, and asked for only once. */
  #serverFunctions: ReadonlySet<string> | undefined
  #loading: Promise<void> | undefined
  /** How often the database has got other functions: what was read before the last time is not kept. */
  #changes = 0
  /** Loads that have failed since the last that did not. */
  #failures = 0

  get isLoaded(): boolean {
    return this.#catalogue !== undefined || this.#isUnreadable
  }

  /** It could not be read, and is not asked for again: a server that cannot answer would be asked at every release. */
  get #isUnreadable(): boolean {
    return this.#failures >= MOST_FAILURES
  }

  /** Whether using some table or view does something to the session: then `effectsOfRelation` has to be asked. */
  get hasStatefulRelations(): boolean {
    return this.#statefulRelations.size > 0
  }

  /** Takes a user's word, which comes before any judgement. A name with a schema is meant there only. */
  declare(functions: DeclaredFunctions): void {
    for (const [name, declared] of Object.entries(functions)) this.#declared.set(name, declared)
    this.#forget()
  }

  /**
   * What a call of `name` may do, over all functions of that name; `unjudged` if it must first be loaded, or loaded anew.
   * A name that is asked for again after that and is still not there is no function, and does nothing.
   */
  effectsOf(name: string): readonly ReadEffect[] | 'unjudged' {
    const judged = this.#judged.get(name)
    if (judged !== undefined) return judged
    const effects = this.#judge(name)
    if (effects !== 'unjudged') this.#judged.set(name, effects)
    else if (this.#asked.size < MOST_ASKED) this.#asked.add(name)
    return effects
  }

  /** What using a table or view may do besides what the statement says. */
  effectsOfRelation(name: string): readonly ReadEffect[] {
    return this.#statefulRelations.get(name) ?? NOTHING
  }

  /**
   * Reads the catalogue of the database. Rejects when `query` does, and knows then what it knew before; when that has
   * happened three times in a row, it says of everything else that nobody knows, until `forget`.
   */
  load(query: CatalogueQuery): Promise<void> {
    if (this.#loading !== undefined) return this.#loading
    const changes = this.#changes
    const loading = this.#load(query)
      .catch((error: unknown) => {
        if (changes === this.#changes) this.#failures += 1
        throw error
      })
      .finally(() => {
        if (this.#loading === loading) this.#loading = undefined
      })
    this.#loading = loading
    return loading
  }

  async #load(query: CatalogueQuery): Promise<void> {
    // What is asked for while the queries run may have been made after them.
    const asked = [...this.#asked]
    const changes = this.#changes
    const serverFunctions = (this.#serverFunctions ??= namesOf(await query(SERVER_FUNCTIONS)))
    const routines = byName(await query(ROUTINES))
    const relations = byName(await query(RELATIONS))
    // Read before the change, or half before it: it would be taken for what is there now.
    if (changes !== this.#changes) return
    this.#failures = 0
    this.#catalogue = { routines, relations, stateful: undefined }
    this.#absent = new Set(asked.filter((name) => !routines.has(name) && !serverFunctions.has(name)))
    this.#forget()
  }

  /**
   * The database has other functions than before: what is asked for from now on must first be loaded. That is not done before
   * something is asked for: of a migration, each statement would be followed by a reading that the next one makes useless.
   */
  forget(): void {
    this.#changes += 1
    this.#loading = undefined
    this.#catalogue = undefined
    this.#failures = 0
    this.#forget()
  }

  #forget(): void {
    this.#judged.clear()
    if (this.#catalogue !== undefined) this.#catalogue.stateful = undefined
  }

  #judge(name: string): readonly ReadEffect[] | 'unjudged' {
    const declared = this.#declared.get(name)
    if (declared !== undefined) return declared === 'harmless' ? NOTHING : [unknownFunction(name)]
    // Its session has more on it already, and nobody else sees what it is.
    if (/^pg_temp(?:_\d+)?\./.test(name)) return [unknownFunction(name)]
    const routines = this.#catalogue?.routines.get(name)
    if (routines !== undefined) return this.#effectsOfAll(routines)
    if (this.#catalogue !== undefined && this.#serverFunctions?.has(name) === true) return NOTHING
    if (this.#absent.has(name)) return NOTHING
    return this.#isUnreadable ? [unknownFunction(name)] : 'unjudged'
  }

  get #statefulRelations(): ReadonlyMap<string, readonly ReadEffect[]> {
    const catalogue = this.#catalogue
    if (catalogue === undefined) return NO_RELATIONS
    if (catalogue.stateful === undefined) {
      const stateful = new Map<string, readonly ReadEffect[]>()
      for (const [name, relations] of catalogue.relations) {
        const effects = this.#effectsOfAll(relations)
        if (effects.length > 0) stateful.set(name, effects)
      }
      catalogue.stateful = stateful
    }
    return catalogue.stateful
  }

  /** Follows calls and uses of tables to whatever is reached, each once: bodies may call each other in circles. */
  #effectsOfAll(first: readonly Routine[]): readonly ReadEffect[] {
    const reached = new Set(first)
    const effects = new Map<string, ReadEffect>()
    for (const routine of reached) {
      const declared = this.#declared.get(`${routine.schema}.${routine.name}`) ?? this.#declared.get(routine.name)
      if (declared === 'harmless') continue
      if (declared === 'stateful') {
        keep(effects, unknownFunction(routine.name))
        continue
      }
      const read = routine.read()
      for (const effect of read.effects) if (!effect.isLocal) keep(effects, effect)
      for (const name of read.functions) for (const called of this.#routines(name)) reached.add(called)
      for (const name of read.relations) for (const used of this.#relations(name)) reached.add(used)
    }
    return effects.size === 0 ? NOTHING : [...effects.values()]
  }

  #routines(name: string): readonly Routine[] {
    return this.#catalogue?.routines.get(name) ?? []
  }

  #relations(name: string): readonly Routine[] {
    return this.#catalogue?.relations.get(name) ?? []
  }
}

const TEMPORARY: ReadEffect = {
  does: 'set',
  kind: 'temp',
  name: undefined,
  isTransactional: true,
  isLocal: false,
  isLocalIf: undefined,
}
const NO_RELATIONS: ReadonlyMap<string, readonly ReadEffect[]> = new Map()
const EMPTY: ReadParts = { effects: [], functions: [], relations: [] }

/** Those of `pg_catalog` under their bare names. */
function namesOf(rows: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlySet<string> {
  return new Set(
    rows.map(({ schema, name }) => (schema === 'pg_catalog' ? String(name) : `${String(schema)}.${String(name)}`)),
  )
}

/** Each under its bare name and under the one with its schema. */
function byName(rows: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyMap<string, readonly Routine[]> {
  const routines = new Map<string, Routine[]>()
  for (const row of rows) {
    const routine = routineOf(row)
    for (const name of [routine.name, `${routine.schema}.${routine.name}`]) {
      const others = routines.get(name)
      if (others === undefined) routines.set(name, [routine])
      else others.push(routine)
    }
  }
  return routines
}

function routineOf(row: Readonly<Record<string, unknown>>): Routine {
  const schema = String(row['schema'])
  const name = String(row['name'])
  const language = typeof row['language'] === 'string' ? row['language'] : 'plpgsql'
  const body = typeof row['body'] === 'string' ? row['body'] : ''
  const isStandard = row['isStandard'] === true
  let read: ReadParts | undefined
  return {
    schema,
    name,
    read: () =>
      (read ??= withTemporaries(readBody(name, isStandard ? 'plpgsql' : language, body), row['settings'], body)),
  }
}

/** With the schema of temporary objects in its own search path, what it makes may be temporary without a word of it. */
function withTemporaries(read: ReadParts, settings: unknown, body: string): ReadParts {
  if (!Array.isArray(settings) || !/\bcreate\b/i.test(body)) return read
  const path = settings.map(String).find((setting) => setting.startsWith('search_path='))
  return path !== undefined && mayMakeTemporary(path.slice('search_path='.length))
    ? { ...read, effects: [...read.effects, TEMPORARY] }
    : read
}

function readBody(name: string, language: string, body: string): ReadParts {
  if (language === 'c' || language === 'internal') return EMPTY
  if (language !== 'sql' && language !== 'plpgsql') return { ...EMPTY, effects: [unknownFunction(name)] }
  const { effects, functions, relations } = readRoutine(language, body)
  return { effects, functions, relations }
}

function keep(effects: Map<string, ReadEffect>, effect: ReadEffect): void {
  const key = `${effect.kind} ${JSON.stringify(effect.name)}`
  if (!effects.has(key)) effects.set(key, effect)
}

function unknownFunction(name: string): ReadEffect {
  return unknownEffect(`function ${name}`)
}
