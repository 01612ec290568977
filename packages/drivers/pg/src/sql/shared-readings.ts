import { CachedReadings } from './cached-readings.js'

/** The readings of this process: pools that send the same texts read them once. */
export const sharedReadings = new CachedReadings()
