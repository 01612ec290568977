import { readCached } from '../sql/read-cached.js'
import { mayBePrepared } from './may-be-prepared.js'
import type { ResolvedPreparedStatements } from './prepared-statements-options.js'

/** A text that comes often enough for sessions to keep its statement. */
export interface NamedStatement {
  readonly name: string
  readonly text: string
  /** It says `*`: when a table gets a column, its result is another one. */
  readonly selectsAll: boolean
}

type Use =
  | { readonly is: 'counted'; uses: number }
  | { readonly is: 'named'; readonly statement: NamedStatement }
  | { readonly is: 'never' }

const NEVER: Use = { is: 'never' }

/** Besides those that are kept, so many texts are counted. */
const MOST_COUNTED = 512

/** Which texts come often, over all connections of a pool, and what their statements are called. */
export class StatementNames {
  /** How many statements a connection keeps. */
  readonly max: number
  readonly #afterUses: number
  readonly #longest: number
  /** Nobody else's: behind a proxy that nobody noticed, a server's session may be another client's next. */
  readonly #ownName = `leasehold_${Math.random().toString(36).slice(2, 10)}`
  readonly #most: number
  /** Two halves, as of `CachedReadings`: when the younger one is full, the older one is dropped. */
  #young = new Map<string, Use>()
  #old = new Map<string, Use>()
  #named = 0
  #generation = 0

  constructor({ afterUses, max, maxTextLength }: ResolvedPreparedStatements) {
    this.max = max
    this.#afterUses = afterUses
    this.#longest = maxTextLength
    this.#most = max + MOST_COUNTED
  }

  /** Another one whenever all names are given anew. */
  get generation(): number {
    return this.#generation
  }

  /** Counts a use of the text. Returns its statement if a session is to keep it. */
  used(text: string): NamedStatement | undefined {
    if (text.length > this.#longest) return undefined
    const use = this.#young.get(text) ?? this.#find(text)
    if (use.is === 'named') return use.statement
    if (use.is === 'never') return undefined
    use.uses += 1
    return use.uses < this.#afterUses ? undefined : this.#name(text)
  }

  /** Tables, functions or types have changed: what sessions keep is not to be used any more. */
  schemaChanged(): void {
    this.#young.clear()
    this.#old.clear()
    this.#generation += 1
  }

  #find(text: string): Use {
    const use = this.#old.get(text) ?? { is: 'counted', uses: 0 }
    this.#old.delete(text)
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, use)
    return use
  }

  #name(text: string): NamedStatement | undefined {
    if (!mayBePrepared(text, readCached(text))) {
      this.#young.set(text, NEVER)
      return undefined
    }
    const statement = { name: `${this.#ownName}_${++this.#named}`, text, selectsAll: text.includes('*') }
    this.#young.set(text, { is: 'named', statement })
    return statement
  }
}
