import type { ReadEffect } from './statement-reading.js'

/** The name of what an effect is about, bound values put in. Undefined when one of its parts is bound to something that is no name. */
export function boundName(
  name: NonNullable<ReadEffect['name']>,
  values: readonly unknown[] | undefined,
): string | undefined {
  if (typeof name === 'string') return name
  let whole = ''
  for (const part of 'parameter' in name ? [name] : name) {
    const value = typeof part === 'string' ? part : values?.[part.parameter - 1]
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
    whole += String(value)
  }
  return whole
}
