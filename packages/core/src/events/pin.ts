/** What a session can carry that must be undone before its next owner, or stay with the one that made it. */
export type PinKind =
  | 'setting'
  | 'role'
  | 'temp'
  | 'prepared'
  | 'listen'
  | 'advisory-lock'
  | 'cursor'
  | 'library'
  | 'slot'
  | 'transaction'
  | 'table-lock'
  | 'user-variable'
  | 'database'
  | 'unknown'

/** One thing that ties a session to its owner, as leases, events and snapshots show it. No literal is in it. */
export interface Pin {
  readonly kind: PinKind
  /** Of what: a setting, a channel, a lock's keys. Undefined when the statement does not tell. */
  readonly name: string | undefined
  /** `set` is in force and was not; `cleared` was there from the beginning (a hook's doing) and is gone. */
  readonly change: 'set' | 'cleared'
  /** The statement that did it, without its literals, where the driver tells it. */
  readonly statement: string | undefined
  /** Where that was sent from, if it was captured. */
  readonly site: string | undefined
  /** Since when, in milliseconds of the pool's clock. */
  readonly since: number
  /** How long it has lasted, in milliseconds. */
  readonly forMs: number
}

/** `setting search_path`, `transaction open`. */
export function describePin({ kind, name, change }: Pick<Pin, 'kind' | 'name' | 'change'>): string {
  return `${change === 'cleared' ? 'cleared ' : ''}${kind}${name === undefined ? '' : ` ${name}`}`
}
