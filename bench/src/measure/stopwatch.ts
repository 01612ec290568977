/** Measures how long `work` takes, in nanoseconds. */
export type Stopwatch = (work: () => Promise<void>) => Promise<number>

export const wallTime: Stopwatch = async (work) => {
  const since = performance.now()
  await work()
  return (performance.now() - since) * 1e6
}

/**
 * What the process itself has used. For a machine that is busy with something else: nothing here waits for anything but
 * the processor, so on a quiet one the two say the same, but for what runs on V8's other threads.
 */
export const cpuTime: Stopwatch = async (work) => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) * 1e3
}
