import { Query } from 'pg'
import { copyOf } from './copy-of.js'

/** Older versions of pg write the callback into the config that they are given, where its owner would send it again. */
const isWrittenInto = ((): boolean => {
  const config: { readonly text: string; readonly callback?: unknown } = { text: '' }
  void new Query(config, undefined, () => {})
  return config.callback !== undefined
})()

/** A statement that may be given to pg with a callback: the same, or a copy where pg would not leave it as it is. */
export function ownConfig(statement: unknown): unknown {
  return isWrittenInto ? copyOf(statement) : statement
}
