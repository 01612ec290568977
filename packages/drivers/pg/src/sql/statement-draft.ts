import type { PinKind } from '@leasehold/core'
import type { BoundName, BoundValue, ReadEffect, ReadStatement, TransactionControl } from './statement-reading.js'

/** Kinds whose making and unmaking no rollback undoes. */
const LASTING: ReadonlySet<PinKind> = new Set(['prepared', 'advisory-lock', 'library', 'slot', 'unknown'])

/** Of a text in a text. One that does more is not worth telling apart. */
const MOST_ABSORBED = 100

interface Circumstances {
  readonly isLocal?: boolean
  readonly isLocalIf?: BoundValue | undefined
  readonly isTransactional?: boolean
}

/** One statement while it is being read. */
export class StatementDraft {
  command = ''
  control: TransactionControl | undefined
  readonly effects: ReadEffect[] = []
  readonly #functions = new Set<string>()
  readonly #relations = new Set<string>()
  changesFunctions = false
  runsInTransaction = true
  readsSequence = false
  drawsSequence = false
  readonly #read: (text: string) => readonly ReadStatement[]

  /** `read` reads texts that the statement runs: a body, an argument. */
  constructor(read: (text: string) => readonly ReadStatement[]) {
    this.#read = read
  }

  set(kind: PinKind, name: string | BoundName | undefined, circumstances?: Circumstances): void {
    this.#add('set', kind, name, circumstances)
  }

  clear(kind: PinKind, name: string | BoundName, circumstances?: Circumstances): void {
    this.#add('clear', kind, name, circumstances)
  }

  /** All of a kind is undone. */
  clearAll(kind: PinKind, circumstances?: Circumstances): void {
    this.#add('clear', kind, undefined, circumstances)
  }

  /** It may have been undone, and nobody knows. */
  touch(kind: PinKind, name?: string | BoundName): void {
    this.#add('touch', kind, name)
  }

  /** It goes by another name from now on. */
  rename(kind: PinKind, name: string): void {
    this.#add('rename', kind, name)
  }

  calls(name: string): void {
    this.#functions.add(name)
  }

  names(relation: string): void {
    this.#relations.add(relation)
  }

  /** What has been read, which keeps neither the text nor its tokens alive. */
  finish(): ReadStatement {
    const { command, control, changesFunctions, runsInTransaction, readsSequence, drawsSequence } = this
    return {
      command,
      control,
      effects: this.effects.length === 0 ? NONE : this.effects,
      functions: listOf(this.#functions),
      relations: listOf(this.#relations),
      changesFunctions,
      runsInTransaction,
      readsSequence,
      drawsSequence,
    }
  }

  /** Reads a text that is run inside of this statement. */
  readText(text: string): readonly ReadStatement[] {
    return this.#read(text)
  }

  /** Adds what a text does that is run inside of this statement. */
  absorbText(text: string): void {
    for (const statement of this.#read(text)) this.absorb(statement)
  }

  /**
   * Adds what another statement does that this one may run, once, often or never. So nothing that it undoes is taken for
   * undone for sure, and nobody knows how often its locks are taken. Its parameters are not those of this statement.
   */
  absorb(statement: ReadStatement): void {
    for (const effect of statement.effects) {
      const isCounted = effect.kind === 'advisory-lock'
      const name = typeof effect.name === 'string' && !isCounted ? effect.name : undefined
      const isLocal = effect.isLocal && effect.isLocalIf === undefined
      const does = effect.does === 'clear' ? 'touch' : effect.does
      const absorbed = { ...effect, does, name, isLocal } as const
      if (this.effects.some((known) => isSame(known, absorbed))) continue
      if (this.effects.length >= MOST_ABSORBED) {
        this.#addTooMuch()
        break
      }
      this.effects.push({ ...absorbed, isLocalIf: undefined })
    }
    for (const name of statement.functions) this.calls(name)
    for (const name of statement.relations) this.names(name)
    this.changesFunctions ||= statement.changesFunctions
    this.readsSequence ||= statement.readsSequence
    this.drawsSequence ||= statement.drawsSequence
  }

  #addTooMuch(): void {
    const name = 'more than can be told'
    if (this.effects.at(-1)?.name !== name) this.set('unknown', name)
  }

  #add(
    does: ReadEffect['does'],
    kind: PinKind,
    name: string | BoundName | undefined,
    { isLocal = false, isLocalIf, isTransactional = !LASTING.has(kind) }: Circumstances = {},
  ): void {
    this.effects.push({ does, kind, name, isTransactional, isLocal, isLocalIf })
  }
}

function isSame(one: ReadEffect, other: ReadEffect): boolean {
  return one.does === other.does && one.kind === other.kind && one.name === other.name && one.isLocal === other.isLocal
}

const NONE: readonly never[] = []

/** Most statements have none of it, and need no list each to say so. */
function listOf(names: ReadonlySet<string>): readonly string[] {
  return names.size === 0 ? NONE : [...names]
}
