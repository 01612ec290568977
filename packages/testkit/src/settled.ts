/**
 * Resolves when every promise that can settle by itself has done so: an immediate comes after all microtasks and all of
 * `process.nextTick`, however many they make of each other. It waits for no time to pass.
 */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
