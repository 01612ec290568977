import { InvalidOptionsError } from '@leasehold/core'
import { speaksProtocol } from '../wire/pg-privates.js'

/** Makes clients: pg's own class, a subclass of it, or that of another installed copy of pg. */
export type ClientClass = new (config?: never) => unknown

/**
 * Whether clients of this class speak through libpq. Looked at by shape: asking pg for its native class would load it.
 */
function isNative(Client: ClientClass): boolean {
  const { prototype } = Client as { prototype?: { isConnected?: unknown } }
  return typeof prototype?.isConnected === 'function' && !speaksProtocol(prototype)
}

/**
 * Refuses the native binding: libpq shows neither what is owed on the wire nor what the transaction is, so that nothing
 * could be known of what an owner left behind.
 */
export function refuseNative(Client: ClientClass): void {
  if (!isNative(Client)) return
  throw new InvalidOptionsError('The native binding of pg', [
    {
      option: process.env['NODE_PG_FORCE_NATIVE'] ? 'NODE_PG_FORCE_NATIVE' : 'Client',
      received: 'pg.native',
      expected: "pg's JavaScript client, because libpq does not show what a session was left with",
    },
  ])
}
