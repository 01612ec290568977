import { setTimeout as sleep } from 'node:timers/promises'
import type { DoorFault, Fault } from '../fault-proxy/index.js'
import type { Trouble } from './stage.js'

const CUTS = 20
const CUT_PAUSE_MS = 20

/** What the network does; each is a fault of the proxy. */
export const NETWORK_TROUBLES: readonly Trouble[] = [
  outage('the port is dead', { is: 'refuse' }),
  outage('the host accepts and hangs', { is: 'hang' }),
  outage('the host accepts and closes', { is: 'close' }),
  fault('answers are cut in the middle', { is: 'cut', direction: 'to-client' }),
  cutOneByOne(),
  fault('statements are cut in the middle', { is: 'cut', direction: 'to-server' }),
  fault('everything is late', { is: 'delay', ms: 40 }),
  fault('the network is narrow', { is: 'throttle', bytesPerSecond: 4_000 }),
  fault('answers do not come through', { is: 'freeze', direction: 'to-client' }),
  fault('statements do not come through', { is: 'freeze', direction: 'to-server' }),
  fault('nothing comes through', { is: 'freeze', direction: 'both' }),
  fault('connections are reset', { is: 'reset' }),
  fault('the server’s side is closed', { is: 'half-close', direction: 'to-client' }),
  fault('the callers’ side is closed', { is: 'half-close', direction: 'to-server' }),
]

function fault(name: string, it: Fault): Trouble {
  return { name, begin: ({ proxy }) => proxy.fault(it), end: ({ proxy }) => proxy.heal() }
}

/** What was stored is not acknowledged, and whoever runs it again without being asked can: the others are well. */
function cutOneByOne(): Trouble {
  return {
    name: 'one connection after the other is cut in its answer',
    lastsMs: 0,
    async begin({ proxy }) {
      for (let cut = 0; cut < CUTS; cut++) {
        proxy.lines.at(-1)?.fault({ is: 'cut', direction: 'to-client' })
        await sleep(CUT_PAUSE_MS)
      }
    },
    end: ({ proxy }) => proxy.heal(),
  }
}

/** The lines that are up go too: a host that is gone, and not only a door that is shut. */
function outage(name: string, door: DoorFault): Trouble {
  return {
    name,
    async begin({ proxy }) {
      await proxy.fault({ is: 'reset' })
      await proxy.fault(door)
    },
    end: ({ proxy }) => proxy.heal(),
  }
}
