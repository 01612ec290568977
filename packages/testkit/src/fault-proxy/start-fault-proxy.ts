import { FaultProxy } from './fault-proxy.js'
import type { Target } from './line.js'

/** A proxy before the server at `target`, on a port of its own. */
export async function startFaultProxy(target: Target): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  await proxy.listen()
  return proxy
}
