import { lockKey } from './lock-key.js'
import { settingEffect } from './setting-effect.js'
import type { ReadEffect } from './statement-reading.js'

/** An effect whose name is known, or known to be none. */
export type NamedEffect = Omit<ReadEffect, 'name'> & { readonly name: string | undefined }

/**
 * The effect with the name that was bound. Without a name when one of its parts is bound to something that is none;
 * undefined when it turns out to leave nothing.
 */
export function withBoundName(effect: ReadEffect, values: readonly unknown[] | undefined): NamedEffect | undefined {
  const { kind, name } = effect
  if (name === undefined || typeof name === 'string') return { ...effect, name }
  let whole = ''
  for (const part of 'parameter' in name ? [name] : name) {
    const text = typeof part === 'string' ? part : textOf(values?.[part.parameter - 1], kind === 'advisory-lock')
    // Bound to something that is no name, and perhaps to nothing.
    if (text === undefined) return { ...effect, name: undefined }
    whole += text
  }
  if (kind !== 'setting') return { ...effect, name: whole }
  const setting = settingEffect(whole)
  return setting && { ...effect, ...setting }
}

/** Locks are told by their numbers, however those are written. */
function textOf(value: unknown, isLock: boolean): string | undefined {
  if (isLock) return lockKey(value)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}
