/** Frees what can be freed now, so that nobody pays for what another has left. Needs `--expose-gc`. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('the benchmarks need node --expose-gc')
  globalThis.gc()
}
