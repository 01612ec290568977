const failures = new WeakSet()

/** `error` is of a hook on a living session: whatever its code says, the server had nothing against the connection. */
export function noteHookFailure(error: unknown): void {
  if (typeof error === 'object' && error !== null) failures.add(error)
}

export function isHookFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error)
}
