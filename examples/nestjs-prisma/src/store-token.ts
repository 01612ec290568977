/** What the store is injected by: an interface is gone when the service runs. */
export const STORE = Symbol('the store')
