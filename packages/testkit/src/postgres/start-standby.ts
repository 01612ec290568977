import { cpSync, lchownSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from 'pg'
import { lastingPort } from './lasting-port.js'
import { prepareServerFolder } from './prepare-server-folder.js'
import { RestartablePostgres } from './restartable-postgres.js'
import { unprivilegedUser } from './unprivileged-user.js'

/** PostgreSQL 15, which also keeps no more exclusive backups. */
const BACKUP_WAS_RENAMED = 150_000

/**
 * A standby of `primary`, which from now on acknowledges a commit only when the standby has it too: so that nothing
 * that was acknowledged is missing after `promote()`.
 */
export async function startStandby(primary: RestartablePostgres): Promise<RestartablePostgres> {
  const owner = unprivilegedUser()
  const port = await lastingPort()
  const { folder, native } = prepareServerFolder(owner, primary.password)
  const data = join(folder, 'data')
  const admin = new Client(primary.url)
  await admin.connect()
  try {
    await copyOfRunning(admin, primary.dataFolder, data)
    const { host, port: from, user, password } = primary
    writeFileSync(join(data, 'standby.signal'), '')
    if (owner !== undefined) {
      for (const path of ['', ...readdirSync(data, { recursive: true, encoding: 'utf8' })])
        lchownSync(join(data, path), owner.uid, owner.gid)
    }
    const standby = new RestartablePostgres({ folder, native, owner, port, password, isCopied: true })
    try {
      await standby.prepare({ primary_conninfo: `host=${host} port=${from} user=${user} password=${password}` })
      await standby.start()
      await admin.query("alter system set synchronous_standby_names = '*'")
      await admin.query('select pg_reload_conf()')
    } catch (error) {
      await standby.stop()
      throw error
    }
    return standby
  } finally {
    await admin.end()
  }
}

/** What pg_basebackup does, which npm's PostgreSQL comes without. */
async function copyOfRunning(admin: Client, from: string, to: string): Promise<void> {
  const { rows: version } = await admin.query<{ server_version_num: string }>('show server_version_num')
  const isRenamed = Number(version[0]?.server_version_num) >= BACKUP_WAS_RENAMED
  await admin.query(
    isRenamed ? "select pg_backup_start('standby', true)" : "select pg_start_backup('standby', true, false)",
  )
  cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('postmaster.') })
  const stop = isRenamed ? 'pg_backup_stop(false)' : 'pg_stop_backup(false)'
  const { rows } = await admin.query<{ labelfile: string }>(`select labelfile from ${stop}`)
  writeFileSync(join(to, 'backup_label'), rows[0]?.labelfile ?? '')
}
