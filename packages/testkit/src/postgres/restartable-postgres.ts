import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { keeperScript } from './keeper-script.js'
import type { PostgresServer } from './postgres-server.js'
import type { UnprivilegedUser } from './unprivileged-user.js'

type Keeper = ChildProcessByStdio<Writable, Readable, null>

const host = '127.0.0.1'
const user = 'postgres'
const database = 'postgres'

export interface RestartablePostgresParts {
  readonly folder: string
  readonly native: string
  readonly owner: UnprivilegedUser | undefined
  readonly port: number
  readonly password: string
  /** A data folder lies there already. */
  readonly isCopied: boolean
}

/** A PostgreSQL that can be stopped as its administrator or an accident would stop it, and started again as it was. */
export class RestartablePostgres implements PostgresServer {
  readonly host = host
  readonly user = user
  readonly database = database
  readonly port: number
  readonly password: string
  readonly #parts: RestartablePostgresParts
  readonly #keeper: Keeper
  readonly #ended: Promise<unknown>

  /** Use `startRestartablePostgres`. */
  constructor(parts: RestartablePostgresParts) {
    const { folder, native, owner, port, password, isCopied } = parts
    this.port = port
    this.password = password
    this.#parts = parts
    const content = isCopied ? 'copied' : 'empty'
    this.#keeper = spawn('/bin/sh', ['-c', keeperScript, 'leasehold-keeper', folder, native, content], {
      ...owner,
      cwd: folder,
      env: this.#environment,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    this.#keeper.stdin.on('error', () => {})
    this.#ended = once(this.#keeper, 'exit')
  }

  get url(): string {
    return `postgres://${user}:${this.password}@${host}:${this.port}/${database}`
  }

  /** Where its data lies, for who makes a copy of it. */
  get dataFolder(): string {
    return join(this.#parts.folder, 'data')
  }

  /** Part of the start: makes the data folder, if there is none yet, and writes the settings into it. */
  async prepare(settings: Readonly<Record<string, string>>): Promise<void> {
    const said = await Promise.race([once(this.#keeper.stdout, 'data'), this.#ended.then(() => ['nothing'])])
    if (String(said[0]).trim() !== 'made') throw new Error(`PostgreSQL has no data folder. It said: ${String(said[0])}`)
    const lines = Object.entries({ ...settings, port: String(this.port) }).map(
      ([name, value]) => `${name} = '${value}'\n`,
    )
    appendFileSync(join(this.dataFolder, 'postgresql.conf'), lines.join(''))
    // A forgotten `stop()` keeps nobody alive: this process ends, and the server with it.
    this.#keeper.unref()
    for (const pipe of [this.#keeper.stdin, this.#keeper.stdout]) if (pipe instanceof Socket) pipe.unref()
  }

  /** Starts it, again or for the first time; resolves when it takes connections. */
  async start(): Promise<void> {
    await this.#control('start', '--log=../log', '--wait')
  }

  /**
   * Ends it and keeps its data. `fast` tells all sessions (57P01) and then goes; `immediate` is a crash: sessions may
   * hear nothing, and the next start recovers.
   */
  async halt(how: 'fast' | 'immediate'): Promise<void> {
    await this.#control('stop', `--mode=${how}`, '--wait')
  }

  /** Reads its settings anew. */
  async reload(): Promise<void> {
    await this.#control('reload')
  }

  /** Of a standby: it is a primary from now on. */
  async promote(): Promise<void> {
    await this.#control('promote', '--wait')
  }

  async stop(): Promise<void> {
    this.#keeper.ref()
    this.#keeper.stdin.end()
    await this.#ended
  }

  async #control(...args: readonly string[]): Promise<void> {
    const { native, owner, folder } = this.#parts
    const child = spawn(join(native, 'bin', 'pg_ctl'), ['--pgdata=data', '--silent', ...args], {
      ...owner,
      cwd: folder,
      env: this.#environment,
      // The server would keep a pipe of ours open.
      stdio: 'ignore',
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`pg_ctl ${args.join(' ')} ended with ${code}: see ${folder}/log`)
  }

  /** The caller's own PG* variables are not meant for the server. */
  get #environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
  }
}
