/** What a token is. A `name` is a quoted identifier, a `word` an unquoted one or a keyword. */
export type TokenKind = 'word' | 'name' | 'literal' | 'number' | 'parameter' | 'sign'

/** How the server reads `'…'`: as the standard says, or with backslash escapes (`standard_conforming_strings = off`). */
export type StringSyntax = 'standard' | 'escaped'

const QUOTE = 39
const DOUBLE_QUOTE = 34
const BACKSLASH = 92
const DOLLAR = 36
const MINUS = 45
const SLASH = 47
const STAR = 42
const PLUS = 43
const DOT = 46
const UNDERSCORE = 95
const AMPERSAND = 38

/** Classes of characters: those above `BLANK` go on with a word. */
const SIGN = 0
const BLANK = 1
const DIGIT = 2
/** What a word begins with; every character beyond ASCII does. */
const LETTER = 3

const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[a-z_]/i.test(character)) return LETTER
  if (/\d/.test(character)) return DIGIT
  return ' \t\n\r\f\v'.includes(character) ? BLANK : SIGN
})

/** The end of the text, where the code is NaN, counts as a sign. */
function classOf(code: number): number {
  return code >= 128 ? LETTER : (CLASSES[code] ?? SIGN)
}

/**
 * Walks through an SQL text token by token, by the lexical rules of PostgreSQL: dollar quotes, nested comments, `E''`,
 * `U&''`, strings that go on in the next line. Blanks and comments are passed over. A token that nobody closed ends with
 * the text. Never throws; takes time in proportion to what it has walked through.
 */
export class Lexer {
  /** Of the token at hand: its kind, its first place, and the first place after it. */
  is: TokenKind = 'sign'
  start = 0
  end = 0
  readonly #sql: string
  readonly #strings: StringSyntax

  constructor(sql: string, strings: StringSyntax = 'standard') {
    this.#sql = sql
    this.#strings = strings
  }

  /** Goes to the next token; false when there is none. */
  next(): boolean {
    const sql = this.#sql
    const start = this.#afterBlanks(this.end)
    this.start = start
    if (start >= sql.length) {
      this.end = sql.length
      return false
    }
    const code = sql.charCodeAt(start)
    switch (classOf(code)) {
      case LETTER:
        this.#word(code)
        break
      case DIGIT:
        this.#take('number', this.#afterNumber(start))
        break
      default:
        this.#signOrQuote(code)
    }
    return true
  }

  /** Whether where the token ends depends on `standard_conforming_strings`: a backslash stands in a plain string. */
  get isUnsure(): boolean {
    if (this.is !== 'literal' || !`'nN`.includes(this.#sql[this.start] ?? ' ')) return false
    return this.#sql.slice(this.start, this.end).includes('\\')
  }

  #take(is: TokenKind, end: number): void {
    this.is = is
    this.end = end
  }

  #afterBlanks(from: number): number {
    const sql = this.#sql
    for (let at = from; ;) {
      const code = sql.charCodeAt(at)
      if (classOf(code) === BLANK) at += 1
      else if (code === MINUS && sql.charCodeAt(at + 1) === MINUS) at = this.#afterLine(at + 2)
      else if (code === SLASH && sql.charCodeAt(at + 1) === STAR) at = this.#afterBlock(at + 2)
      else return at
    }
  }

  /** A comment ends before the line break. */
  #afterLine(from: number): number {
    const sql = this.#sql
    for (let at = from; at < sql.length; at += 1) {
      const code = sql.charCodeAt(at)
      if (code === 10 || code === 13) return at
    }
    return sql.length
  }

  /** Block comments nest. */
  #afterBlock(from: number): number {
    const sql = this.#sql
    let depth = 1
    for (let at = from; at < sql.length;) {
      const code = sql.charCodeAt(at)
      if (code === STAR && sql.charCodeAt(at + 1) === SLASH) {
        at += 2
        depth -= 1
        if (depth === 0) return at
      } else if (code === SLASH && sql.charCodeAt(at + 1) === STAR) {
        at += 2
        depth += 1
      } else at += 1
    }
    return sql.length
  }

  #word(first: number): void {
    const sql = this.#sql
    const { start } = this
    const second = sql.charCodeAt(start + 1)
    if (second === QUOTE) {
      const letter = first | 32
      if (letter === 101) return this.#take('literal', this.#afterString(start + 2, true))
      // b, x, and n, which is a plain string with a type.
      if (letter === 98 || letter === 120) return this.#take('literal', this.#afterString(start + 2, false))
      if (letter === 110) return this.#plainString(start + 2)
    } else if (second === AMPERSAND && (first | 32) === 117) {
      const third = sql.charCodeAt(start + 2)
      if (third === QUOTE) return this.#take('literal', this.#afterString(start + 3, false))
      if (third === DOUBLE_QUOTE) return this.#take('name', this.#afterQuote(start + 3, '"'))
    }
    this.#take('word', this.#afterWord(start + 1))
  }

  #signOrQuote(code: number): void {
    const { start } = this
    if (code === QUOTE) this.#plainString(start + 1)
    else if (code === DOUBLE_QUOTE) this.#take('name', this.#afterQuote(start + 1, '"'))
    else if (code === DOLLAR) this.#dollar()
    else if (code === DOT && classOf(this.#sql.charCodeAt(start + 1)) === DIGIT) {
      this.#take('number', this.#afterNumber(start))
    } else this.#take('sign', start + 1)
  }

  #plainString(inside: number): void {
    this.#take('literal', this.#afterString(inside, this.#strings === 'escaped'))
  }

  /** After a string and the strings that continue it: only a line break and line comments stand between them. */
  #afterString(inside: number, isEscaped: boolean): number {
    let end = isEscaped ? this.#afterEscaped(inside) : this.#afterQuote(inside, "'")
    for (;;) {
      const next = this.#continuation(end)
      if (next === undefined) return end
      end = isEscaped ? this.#afterEscaped(next) : this.#afterQuote(next, "'")
    }
  }

  #continuation(from: number): number | undefined {
    const sql = this.#sql
    let hasBreak = false
    for (let at = from; at < sql.length;) {
      const code = sql.charCodeAt(at)
      if (code === QUOTE) return hasBreak ? at + 1 : undefined
      if (classOf(code) === BLANK) {
        if (code === 10 || code === 13) hasBreak = true
        at += 1
      } else if (code === MINUS && sql.charCodeAt(at + 1) === MINUS) at = this.#afterLine(at + 2)
      else return undefined
    }
    return undefined
  }

  /** After the closing quote; a doubled one belongs to the inside. */
  #afterQuote(from: number, quote: string): number {
    const sql = this.#sql
    for (let at = from; ; at += 2) {
      at = sql.indexOf(quote, at)
      if (at === -1) return sql.length
      if (sql[at + 1] !== quote) return at + 1
    }
  }

  #afterEscaped(from: number): number {
    const sql = this.#sql
    let at = from
    while (at < sql.length) {
      const code = sql.charCodeAt(at)
      if (code === BACKSLASH) at += 2
      else if (code !== QUOTE) at += 1
      else if (sql.charCodeAt(at + 1) === QUOTE) at += 2
      else return at + 1
    }
    return sql.length
  }

  /** `$1`, `$$…$$`, `$tag$…$tag$`, or a lone sign. */
  #dollar(): void {
    const sql = this.#sql
    const { start } = this
    let at = start + 1
    if (classOf(sql.charCodeAt(at)) === DIGIT) {
      while (classOf(sql.charCodeAt(at)) === DIGIT) at += 1
      return this.#take('parameter', at)
    }
    while (classOf(sql.charCodeAt(at)) > BLANK) at += 1
    if (sql.charCodeAt(at) !== DOLLAR) return this.#take('sign', start + 1)
    const tag = sql.slice(start, at + 1)
    const closing = sql.indexOf(tag, at + 1)
    this.#take('literal', closing === -1 ? sql.length : closing + tag.length)
  }

  #afterNumber(start: number): number {
    const sql = this.#sql
    const isPrefixed = sql.charCodeAt(start) === 48 && 'xXoObB'.includes(sql[start + 1] ?? ' ')
    // Letters that do not belong there are an error to the server, and to be passed over here.
    if (isPrefixed) return this.#afterWord(start + 2)
    let at = this.#afterDigits(start)
    // Two dots are a range of PL/pgSQL.
    if (sql.charCodeAt(at) === DOT && sql.charCodeAt(at + 1) !== DOT) at = this.#afterDigits(at + 1)
    if ((sql.charCodeAt(at) | 32) !== 101) return at
    const isSigned = sql.charCodeAt(at + 1) === MINUS || sql.charCodeAt(at + 1) === PLUS
    const exponent = isSigned ? at + 2 : at + 1
    return classOf(sql.charCodeAt(exponent)) === DIGIT ? this.#afterDigits(exponent) : at
  }

  #afterDigits(from: number): number {
    let at = from
    for (; ; at += 1) {
      const code = this.#sql.charCodeAt(at)
      if (classOf(code) !== DIGIT && code !== UNDERSCORE) return at
    }
  }

  #afterWord(from: number): number {
    let at = from
    for (; ; at += 1) {
      const code = this.#sql.charCodeAt(at)
      if (classOf(code) <= BLANK && code !== DOLLAR) return at
    }
  }
}
