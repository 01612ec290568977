import type { RestartablePostgres } from '../postgres/index.js'
import type { Trouble } from './stage.js'

/** What happens to a primary whose `standby` takes over, so that the name that callers dial leads there. */
export function failoverTroubles(standby: RestartablePostgres): {
  readonly crash: Trouble
  readonly demotion: Trouble
} {
  const end: Trouble['end'] = async ({ proxy }) => {
    await standby.promote()
    proxy.redirect(standby)
  }
  return {
    crash: {
      name: 'the primary crashes, and its standby takes over',
      begin: ({ server }) => server.halt('immediate'),
      end,
    },
    // The connections to it are up and well, and of no use any more.
    demotion: {
      name: 'the primary becomes read-only, and its standby takes over',
      async begin({ ask, server }) {
        await ask('alter system set default_transaction_read_only = on')
        await server.reload()
      },
      end,
    },
  }
}
