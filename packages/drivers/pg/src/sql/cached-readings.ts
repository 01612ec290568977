import type { StringSyntax } from './lexer.js'
import { readStatement } from './read-statement.js'
import type { StatementReading } from './statement-reading.js'

export interface CachedReadingsOptions {
  /** How many texts are kept at most. @default 1000 */
  readonly texts?: number
  /** Texts longer than this many characters are read each time. @default 10000 */
  readonly longest?: number
  /** How many characters the kept texts have at most, taken together. @default 2000000 */
  readonly characters?: number
}

/** What an empty text says. */
const NOTHING: StatementReading = readStatement('')

/** Readings of the texts that were asked for lately. */
export class CachedReadings {
  readonly #texts: number
  readonly #longest: number
  readonly #characters: number
  /**
   * Two halves: what is asked for moves to the younger one, and when that is full the older one is dropped. A hit costs
   * one look-up; moving every text to the end of a list would cost a deletion and an insertion more.
   */
  #young = new Map<string, StatementReading>()
  #old = new Map<string, StatementReading>()
  #charactersOfYoung = 0
  /** What was asked for last: a statement is looked up several times on its way, and mostly as the very same string. */
  #lastText = ''
  #lastReading: StatementReading = NOTHING
  #read: (text: string) => StatementReading = readStatement

  constructor({ texts = 1_000, longest = 10_000, characters = 2_000_000 }: CachedReadingsOptions = {}) {
    this.#texts = texts / 2
    this.#longest = longest
    this.#characters = characters / 2
  }

  /** How many texts are kept. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Reads with another reader from now on. */
  use(read: (text: string) => StatementReading): void {
    this.#read = read
    this.#young.clear()
    this.#old.clear()
    this.#charactersOfYoung = 0
    this.#lastText = ''
    this.#lastReading = NOTHING
  }

  read(text: string, strings: StringSyntax = 'standard'): StatementReading {
    // Sessions that still read backslashes in plain strings are rare, and are not worth a second memory.
    if (strings === 'escaped' && text.includes('\\')) return readStatement(text, strings)
    if (text === this.#lastText) return this.#lastReading
    if (text.length > this.#longest) return this.#read(text)
    const reading = this.#find(text)
    this.#lastText = text
    this.#lastReading = reading
    return reading
  }

  #find(text: string): StatementReading {
    const known = this.#young.get(text)
    if (known !== undefined) return known
    const reading = this.#old.get(text) ?? this.#read(text)
    this.#keep(text, reading)
    return reading
  }

  #keep(text: string, reading: StatementReading): void {
    this.#old.delete(text)
    if (this.#young.size >= this.#texts || this.#charactersOfYoung + text.length > this.#characters) {
      this.#old = this.#young
      this.#young = new Map()
      this.#charactersOfYoung = 0
    }
    this.#young.set(text, reading)
    this.#charactersOfYoung += text.length
  }
}
