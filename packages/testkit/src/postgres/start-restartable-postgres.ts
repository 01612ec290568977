import { randomBytes } from 'node:crypto'
import { freePort } from './free-port.js'
import { prepareServerFolder } from './prepare-server-folder.js'
import { RestartablePostgres } from './restartable-postgres.js'
import { throwAwaySettings } from './throw-away-settings.js'
import { unprivilegedUser } from './unprivileged-user.js'

/** A PostgreSQL of one's own, to be stopped and started: see `RestartablePostgres`. */
export async function startRestartablePostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<RestartablePostgres> {
  const owner = unprivilegedUser()
  const port = await freePort()
  const password = randomBytes(12).toString('hex')
  const { folder, native } = prepareServerFolder(owner, password)
  const server = new RestartablePostgres({ folder, native, owner, port, password, isCopied: false })
  try {
    await server.prepare({
      ...throwAwaySettings,
      // A commit that was acknowledged must survive a crash of the server, though not one of the machine.
      synchronous_commit: 'on',
      wal_level: 'replica',
      max_wal_senders: '4',
      ...settings,
    })
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}
