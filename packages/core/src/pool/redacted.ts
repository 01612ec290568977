import type { Driver } from '../ports/driver.js'

/**
 * A statement as reports may show it; undefined where there is none, or the driver cannot say it without its literals. One
 * that throws must not take the report with it: that may be the error somebody waits for.
 */
export function redacted(driver: Pick<Driver<never>, 'redact'>, statement: string | undefined): string | undefined {
  if (statement === undefined) return undefined
  try {
    return driver.redact?.(statement)
  } catch {
    return undefined
  }
}
