import { CachedReadings } from './cached-readings.js'
import type { StatementReading } from './statement-reading.js'

const readings = new CachedReadings()

/** `readStatement`, which remembers the texts of late: services send the same ones again and again. */
export function readCached(text: string): StatementReading {
  return readings.read(text)
}
