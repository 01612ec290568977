import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { askOf, WRITTEN_ROWS } from '@leasehold/testkit/faults'
import { type RestartablePostgres, startRestartablePostgres } from '@leasehold/testkit/postgres'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type FaultStage, type FaultStageOptions, openFaultStage } from './open-fault-stage.js'

/** A server of the test file's own with a proxy before it; and for each test a pool with a load on it. */
export function useFaultStage(settings?: Readonly<Record<string, string>>): {
  open(options?: FaultStageOptions): Promise<FaultStage>
} {
  let server: RestartablePostgres
  let proxy: FaultProxy
  const opened: FaultStage[] = []

  beforeAll(async () => {
    server = await startRestartablePostgres(settings)
    proxy = await startFaultProxy(server)
    await askOf(server)(WRITTEN_ROWS)
  })

  afterEach(async () => {
    for (const stage of opened.splice(0)) await stage.close()
  })

  afterAll(async () => {
    await proxy.close()
    await server.stop()
  })

  return {
    async open(options) {
      await askOf(server)('truncate written_rows')
      const stage = await openFaultStage(server, proxy, options)
      opened.push(stage)
      return stage
    },
  }
}
