import type { ReadEffect } from './statement-reading.js'

/** An effect in one line: `set setting work_mem`, `clear temp *`, `set cursor c local`. */
export function describeEffect({ does, kind, name, isLocal }: ReadEffect): string {
  return `${does} ${kind} ${typeof name === 'string' ? name : '*'}${isLocal ? ' local' : ''}`
}
