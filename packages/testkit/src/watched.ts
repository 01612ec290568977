/** A promise whose end a test can see without waiting for it. */
export interface Watched<Value> {
  /** `undefined` while it goes on. */
  readonly state:
    | { readonly is: 'pending' }
    | { readonly is: 'fulfilled'; readonly value: Value }
    | { readonly is: 'rejected'; readonly error: unknown }
  /** The value; throws when there is none (yet). */
  readonly value: Value
  /** The code of the error, or what else came of it: `pending`, `fulfilled`. */
  readonly outcome: string
}

/** Watches a promise, and keeps its rejection from ending the test run. */
export function watched<Value>(promise: Promise<Value>): Watched<Value> {
  let state: Watched<Value>['state'] = { is: 'pending' }
  promise.then(
    (value) => {
      state = { is: 'fulfilled', value }
    },
    (error: unknown) => {
      state = { is: 'rejected', error }
    },
  )
  return {
    get state() {
      return state
    },
    get value() {
      if (state.is === 'fulfilled') return state.value
      throw state.is === 'rejected' ? state.error : new Error('it is still pending')
    },
    get outcome() {
      if (state.is !== 'rejected') return state.is
      const { error } = state
      return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error)
    },
  }
}
