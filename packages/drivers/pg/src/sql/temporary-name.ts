import type { Tokens } from './tokens.js'

/** The bare name of what is in `pg_temp`, or said to be temporary; undefined if it is not temporary. */
export function temporaryName(tokens: Tokens, at: number, isTemp: boolean): string | undefined {
  const end = tokens.afterName(at)
  const isInTemp = end > at + 1 && /^pg_temp(?:_\d+)?$/.test(tokens.name(at) ?? '')
  return isTemp || isInTemp ? tokens.name(end - 1) : undefined
}
