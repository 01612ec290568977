/** The server ends the session with one of these. `severity` would say so too, but it is translated. */
const ENDING = new Set(['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25P04'])

/** Whether the server's error message ends the session that it came on. */
export function isFatal(error: {
  readonly severity?: string | undefined
  readonly code?: string | undefined
}): boolean {
  return (
    error.severity === 'FATAL' || error.severity === 'PANIC' || (error.code !== undefined && ENDING.has(error.code))
  )
}
