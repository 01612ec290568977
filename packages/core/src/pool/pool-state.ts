/** What the pool does with callers: serves them, lets them wait, or sends them away for good. */
export type PoolState =
  | { readonly is: 'open' }
  | { readonly is: 'paused' }
  | { readonly is: 'closing'; readonly emptied: () => void }
  | { readonly is: 'closed' }
