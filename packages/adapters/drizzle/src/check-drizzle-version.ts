import { InvalidOptionsError } from '@leasehold/core'

/** The first versions of the two lines that are supported. */
const FIRST = { minor: 45, candidate: 5 }

/**
 * Refuses a Drizzle that is too old to be built upon.
 *
 * @throws {InvalidOptionsError} naming the version found.
 */
export function checkDrizzleVersion(version: string): void {
  if (isSupported(version)) return
  throw new InvalidOptionsError(`drizzle-orm ≥ 0.${FIRST.minor} needed, found ${version}: createDrizzle`, [
    { option: 'drizzle-orm', expected: '0.45, or 1.0.0-rc.5 or later', received: version },
  ])
}

function isSupported(version: string): boolean {
  const [, major, minor, stage, number] = /^(\d+)\.(\d+)\.\d+(?:-([a-z]+)\.(\d+))?/.exec(version) ?? []
  if (Number(major) === 0) return Number(minor) >= FIRST.minor
  // Nothing before 1.0.0 but its own candidates: 1.1.0-beta.1 is later than all of them.
  if (major === '1' && minor === '0' && stage !== undefined) return stage === 'rc' && Number(number) >= FIRST.candidate
  return Number(major) >= 1
}
