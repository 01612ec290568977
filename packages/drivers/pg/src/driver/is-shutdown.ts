/** The server shuts down, or starts all over after a crash: every session of it ends. */
const SHUTDOWN = new Set(['57P01', '57P02'])

export function isShutdown(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && SHUTDOWN.has(code)
}
