/**
 * Calls a driver's method that returns nothing, and tells `failed` when it throws, or rejects because it was written as an
 * async one. Neither may cost whoever happens to be on the way, or the process.
 */
export function callSafely(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const returned = call()
    if (returned instanceof Promise) returned.catch(failed)
  } catch (error) {
    failed(error)
  }
}
