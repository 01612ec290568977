import { identifierName } from './identifier-name.js'
import { Lexer, type StringSyntax, type TokenKind } from './lexer.js'
import { literalValue } from './literal-value.js'

/** All tokens of a text, by number. A place outside of it has no kind and the empty word. */
export class Tokens {
  readonly sql: string
  readonly strings: StringSyntax
  /** In how many other texts this one stands. */
  readonly depth: number
  readonly #kinds: TokenKind[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #words: string[] = []
  /** Of each opening bracket the place of the one that closes it. */
  #closing: Int32Array | undefined

  constructor(sql: string, strings: StringSyntax = 'standard', depth = 0) {
    this.sql = sql
    this.strings = strings
    this.depth = depth
    const lexer = new Lexer(sql, strings)
    while (lexer.next()) {
      const { is, start, end } = lexer
      this.#kinds.push(is)
      this.#starts.push(start)
      this.#ends.push(end)
      this.#words.push(
        is === 'word' ? sql.slice(start, end).toLowerCase() : is === 'sign' ? (sql[start] as string) : '',
      )
    }
  }

  get count(): number {
    return this.#kinds.length
  }

  kind(at: number): TokenKind | undefined {
    return this.#kinds[at]
  }

  /** A word in lower case, or a sign; empty for whatever is quoted, and for numbers and parameters. */
  word(at: number): string {
    return this.#words[at] ?? ''
  }

  /** Whether these words stand one after the other from `at` on. */
  says(at: number, ...words: readonly string[]): boolean {
    return words.every((word, offset) => this.word(at + offset) === word)
  }

  text(at: number): string {
    return this.sql.slice(this.#starts[at], this.#ends[at])
  }

  /** The source from token `from` up to token `to`, which does not belong to it. */
  source(from: number, to: number): string {
    return from < to ? this.sql.slice(this.#starts[from], this.#ends[to - 1]) : ''
  }

  /** Whether token `at` begins where the one before it ends. */
  isAttached(at: number): boolean {
    return this.#starts[at] === this.#ends[at - 1]
  }

  /** The name that an identifier stands for; undefined if it is none. */
  name(at: number): string | undefined {
    const kind = this.kind(at)
    if (kind === 'word') return identifierName(this.text(at))
    if (kind !== 'name') return undefined
    return identifierName(this.text(at), this.word(at + 1) === 'uescape' ? this.literal(at + 2) : undefined)
  }

  /** The text that a string literal stands for; undefined if it is none. */
  literal(at: number): string | undefined {
    return this.kind(at) === 'literal' ? literalValue(this.text(at), this.strings) : undefined
  }

  /** The number of the parameter `$n`; undefined if it is none. */
  parameter(at: number): number | undefined {
    return this.kind(at) === 'parameter' ? Number(this.text(at).slice(1)) : undefined
  }

  /** The place after the qualified name (`a.b.c`) that begins at `at`. */
  afterName(at: number): number {
    let end = at + 1
    while (this.word(end) === '.' && this.#isIdentifier(end + 1)) end += 2
    return end
  }

  /** The parts of a name from `from` up to `to`, with dots between them; undefined if it is none. */
  qualifiedName(from: number, to: number): string | undefined {
    const first = this.name(from)
    if (first === undefined) return undefined
    let name = first
    for (let at = from + 2; at < to; at += 2) name += `.${this.name(at)}`
    return name
  }

  #isIdentifier(at: number): boolean {
    const kind = this.kind(at)
    return kind === 'word' || kind === 'name'
  }

  /** The place after the bracket that closes the one at `at`, or `to`. */
  afterBrackets(at: number, to: number): number {
    this.#closing ??= this.#pairs()
    const closing = this.#closing[at] ?? 0
    return closing === 0 || closing >= to ? to : closing + 1
  }

  /** All of them at once: brackets in brackets would otherwise be walked through again and again. */
  #pairs(): Int32Array {
    const closing = new Int32Array(this.count)
    const open: number[] = []
    for (let at = 0; at < this.count; at += 1) {
      const word = this.word(at)
      if (word === '(') open.push(at)
      else if (word === ')') {
        const opening = open.pop()
        if (opening !== undefined) closing[opening] = at
      }
    }
    return closing
  }
}
