import type * as pg from 'pg'

type Verify = (client: pg.PoolClient, done: (error?: Error) => void) => void

/**
 * What pg-pool's hooks do to a new connection before anybody gets it: first `onConnect`, then `verify`. Undefined when
 * there is neither.
 */
export function prepareClient(options: pg.PoolConfig): ((client: pg.Client) => Promise<void>) | undefined {
  const onConnect = options.onConnect as ((client: pg.Client) => unknown) | undefined
  const verify = options.verify
  if (onConnect === undefined && verify === undefined) return undefined
  return async (client) => {
    await onConnect?.(client)
    if (verify !== undefined) await verified(client as pg.PoolClient, verify)
  }
}

function verified(client: pg.PoolClient, verify: Verify): Promise<void> {
  return new Promise((resolve, reject) => {
    verify(client, (error) => (error ? reject(error) : resolve()))
  })
}
