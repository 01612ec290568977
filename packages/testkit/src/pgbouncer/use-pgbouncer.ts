import { afterAll, beforeAll, beforeEach } from 'vitest'
import { launchPgBouncer, type LaunchedPgBouncer, type PgBouncerOptions } from './launch-pgbouncer.js'
import { pgBouncerBinary } from './pgbouncer-binary.js'

const MISSING = 'PgBouncer is not installed (on Debian: apt-get install pgbouncer)'

/**
 * Gives the tests beside it a PgBouncer in front of `database`. Where none is installed they are skipped, saying so; in CI
 * they fail. Read `url` in tests and hooks.
 */
export function usePgBouncer(
  database: { readonly url: string },
  options: PgBouncerOptions = {},
): { readonly url: string } {
  const binary = pgBouncerBinary()
  let bouncer: LaunchedPgBouncer | undefined
  if (binary === undefined) {
    if (process.env['CI']) throw new Error(MISSING)
    process.stderr.write(`tests are skipped: ${MISSING}\n`)
    beforeEach(({ skip }) => skip(MISSING))
  } else {
    beforeAll(async () => {
      bouncer = await launchPgBouncer(binary, database.url, options)
    })
    afterAll(() => bouncer?.stop())
  }
  return {
    get url() {
      if (!bouncer) throw new Error('usePgBouncer(): it is there only while hooks and tests run')
      return bouncer.url
    },
  }
}
