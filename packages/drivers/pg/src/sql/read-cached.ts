import type { StringSyntax } from './lexer.js'
import { sharedReadings } from './shared-readings.js'
import type { StatementReading } from './statement-reading.js'

/**
 * `readStatement`, which remembers the texts of late: services send the same ones again and again. `strings` is what the
 * session's `standard_conforming_strings` says.
 */
export function readCached(text: string, strings?: StringSyntax): StatementReading {
  return sharedReadings.read(text, strings)
}
