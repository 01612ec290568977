import { InvalidOptionsError } from '@leasehold/core'
import type { knex } from 'knex'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * Refuses a Knex that knows no `connectionPool`: it would only ever say "Unable to acquire a connection".
 *
 * @throws {InvalidOptionsError} naming the version found.
 */
export function checkKnexVersion(module: typeof knex): void {
  if ('initializeExternalPool' in module.Client.prototype) return
  const found = versionOf(module) ?? 'an older one'
  throw new InvalidOptionsError(`Knex ≥ 3.3 needed, found ${found}: createKnex`, [
    { option: 'knex', expected: 'version 3.3.0 or later', received: found },
  ])
}

/**
 * The version of exactly this copy: there may be several, and only the file that it was loaded from tells which package
 * it belongs to. Unknown inside a bundle.
 */
function versionOf(module: typeof knex): string | undefined {
  const require = createRequire(join(process.cwd(), 'anywhere.js'))
  const loaded = Object.values(require.cache).find((file) => file?.exports === module.Client)
  if (loaded === undefined) return undefined
  try {
    return (createRequire(loaded.filename)('../package.json') as { version?: string }).version
  } catch {
    return undefined
  }
}
