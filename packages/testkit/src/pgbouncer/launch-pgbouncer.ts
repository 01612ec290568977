import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, unprivilegedUser } from '../postgres/index.js'

const host = '127.0.0.1'
const startTimeoutMs = 10_000

/** Ends with us, however we end: its input is a pipe whose other end is ours. $1 is the binary, $2 its settings. */
const script = `
exec 3<&0 </dev/null
"$1" "$2" 3<&- &
bouncer=$!
{ read -r _ <&3; kill -INT "$bouncer"; } &
exec 3<&-
wait "$bouncer"
`

export interface PgBouncerOptions {
  /** When a server's session goes to the next client. Default `transaction`. */
  readonly mode?: 'session' | 'transaction'
  /** Sessions on the server. Default 2. */
  readonly size?: number
}

export interface LaunchedPgBouncer {
  /** The same database, through PgBouncer. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts PgBouncer in front of a database, on a free port. It lets everybody in: it is for tests. */
export async function launchPgBouncer(
  binary: string,
  databaseUrl: string,
  { mode = 'transaction', size = 2 }: PgBouncerOptions,
): Promise<LaunchedPgBouncer> {
  const server = new URL(databaseUrl)
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-pgbouncer-'))
  const settings = join(folder, 'pgbouncer.ini')
  const { pathname, hostname, username, password } = server
  writeFileSync(
    settings,
    `[databases]
* = host=${hostname} port=${server.port || '5432'} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}
[pgbouncer]
listen_addr = ${host}
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
`,
  )
  // It refuses to run as root, like PostgreSQL.
  const user = unprivilegedUser()
  if (user !== undefined) for (const path of [folder, settings]) chownSync(path, user.uid, user.gid)
  const child = spawn('/bin/sh', ['-c', script, 'leasehold-pgbouncer', binary, settings], {
    ...user,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)))
  child.stdin.on('error', () => {})
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const deadline = Date.now() + startTimeoutMs
  while (!(await isListening(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`PgBouncer did not start. It said: ${said.trim()}`)
    }
    await pause(20)
  }
  return { url: `postgres://tester@${host}:${port}${pathname}`, stop }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, host)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
