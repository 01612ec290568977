import { FaultProxy } from './fault-proxy.js'
import { lastingPort } from '../postgres/lasting-port.js'
import type { Target } from './line.js'

/** A proxy before the server at `target`, on a port of its own. */
export async function startFaultProxy(target: Target): Promise<FaultProxy> {
  // It is to be there again after it has refused.
  const proxy = new FaultProxy(target, await lastingPort())
  await proxy.heal()
  return proxy
}
