import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { givingBack } from './session/giving-back.js'
import { reading } from './session/reading.js'
import { tenants } from './session/tenants.js'

/** What a session that carries nothing costs, one that carries something, and one that carries what its owner declared. */
export async function sessionState(settings: Settings): Promise<Report> {
  const server = await startPostgres()
  const parts = [await reading(settings), await givingBack(server.url, settings), await tenants(server.url, settings)]
  await server.stop()
  return {
    name: 'session',
    text: parts.map(({ text }) => text).join('\n\n'),
    targets: parts.flatMap((part) => part.targets),
    data: Object.fromEntries(parts.map(({ name, data }) => [name, data])),
  }
}
