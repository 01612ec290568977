import type { Tokens } from './tokens.js'

/** What stands in the place of an argument, as far as the text tells. */
export type CallArgument =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'parameter'; readonly parameter: number }
  | { readonly is: 'null' }
  /** Known only when it has run. */
  | { readonly is: 'computed' }

const COMPUTED: CallArgument = { is: 'computed' }
/** More brackets and casts than this around a value are not looked through. */
const DEEPEST = 8

/** The arguments of a call, by place and by name. */
export class CallArguments {
  readonly #places: CallArgument[] = []
  readonly #names = new Map<string, CallArgument>()

  /** `open` is the place of the opening bracket. */
  constructor(tokens: Tokens, open: number, to: number) {
    const close = tokens.afterBrackets(open, to) - 1
    let depth = 0
    let from = open + 1
    for (let at = from; at <= close; at += 1) {
      const word = tokens.word(at)
      if (at === close || (depth === 0 && word === ',')) {
        if (at > from) this.#add(tokens, from, at)
        from = at + 1
      } else if (word === '(') at = tokens.afterBrackets(at, close) - 1
      else if (word === '[') depth += 1
      else if (word === ']') depth -= 1
    }
  }

  get count(): number {
    return this.#places.length + this.#names.size
  }

  /** The argument at a place, counted from 0, or by its name; undefined if it is not given. */
  at(place: number, name: string): CallArgument | undefined {
    return this.#names.get(name) ?? this.#places[place]
  }

  #add(tokens: Tokens, from: number, to: number): void {
    const name = tokens.name(from)
    const isNamed = tokens.says(from + 1, '=', '>') || tokens.says(from + 1, ':', '=')
    if (name !== undefined && isNamed) this.#names.set(name, readArgument(tokens, from + 3, to))
    else this.#places.push(readArgument(tokens, from, to))
  }
}

/** What the tokens from `from` up to `to` stand for, through brackets and casts, if there are not too many. */
function readArgument(tokens: Tokens, from: number, to: number, depth = 0): CallArgument {
  if (depth > DEEPEST) return COMPUTED
  if (tokens.word(from) === '(') {
    const end = tokens.afterBrackets(from, to)
    return isCast(tokens, end, to) ? readArgument(tokens, from + 1, end - 1, depth + 1) : COMPUTED
  }
  if (tokens.says(from, 'cast', '(') && tokens.afterBrackets(from + 1, to) === to) {
    const as = placeOf(tokens, 'as', from + 2, to)
    return as === undefined ? COMPUTED : readArgument(tokens, from + 2, as, depth + 1)
  }
  const sign = tokens.word(from)
  if ((sign === '-' || sign === '+') && tokens.kind(from + 1) === 'number' && isCast(tokens, from + 2, to)) {
    return { is: 'literal', text: sign === '-' ? `-${tokens.text(from + 1)}` : tokens.text(from + 1) }
  }
  // text 'a', bool 'false'
  const isTyped = tokens.kind(from) === 'word' && tokens.kind(from + 1) === 'literal'
  const at = isTyped ? from + 1 : from
  return isCast(tokens, at + 1, to) ? readValue(tokens, at) : COMPUTED
}

function readValue(tokens: Tokens, at: number): CallArgument {
  const parameter = tokens.parameter(at)
  if (parameter !== undefined) return { is: 'parameter', parameter }
  const literal = tokens.literal(at)
  if (literal !== undefined) return { is: 'literal', text: literal }
  if (tokens.kind(at) === 'number') return { is: 'literal', text: tokens.text(at) }
  const word = tokens.word(at)
  if (word === 'null') return { is: 'null' }
  return word === 'true' || word === 'false' ? { is: 'literal', text: word } : COMPUTED
}

/** Whether there is nothing from `from` up to `to`, or only casts to types. */
function isCast(tokens: Tokens, from: number, to: number): boolean {
  if (from >= to) return true
  if (!tokens.says(from, ':', ':')) return false
  for (let at = from + 2; at < to; at += 1) {
    const kind = tokens.kind(at)
    if (kind !== 'word' && kind !== 'name' && kind !== 'number' && !'():[],.'.includes(tokens.word(at))) return false
  }
  return true
}

function placeOf(tokens: Tokens, word: string, from: number, to: number): number | undefined {
  for (let at = from; at < to; at += 1) {
    if (tokens.word(at) === word) return at
    if (tokens.word(at) === '(') at = tokens.afterBrackets(at, to) - 1
  }
  return undefined
}
