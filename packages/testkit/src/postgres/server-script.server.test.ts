import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-parent-'))
  chmodSync(folder, 0o777)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A process that starts a server, says its port, and then does `then`. */
function parent(then: string): ChildProcess {
  const work = `
    import { startPostgres } from './start-postgres.ts'
    const starting = startPostgres({ embedded: true })
    process.stdout.write('starting')
    const { port } = await starting
    process.stdout.write('port ' + port + '.')
    ${then}`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', work], {
    cwd: import.meta.dirname,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** What the process said, as soon as that ends with `last`. */
function says(child: ChildProcess, last: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    child.stdout?.on('data', (text: Buffer) => {
      all += String(text)
      if (all.endsWith(last)) resolve(all)
    })
    child.once('close', () => reject(new Error(`it said only: ${all}`)))
  })
}

function leftBehind(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('leasehold-postgres-'))
}

async function refusesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
  'a process that dies of %s dies of just that, and takes its server along',
  async (signal) => {
    const child = parent('setInterval(() => {}, 1_000)')
    const port = Number(/\d+/.exec(await says(child, '.'))?.[0])
    expect(await refusesConnections(port)).toBe(false)
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([null, signal])
    await expect.poll(leftBehind, { timeout: 10_000 }).toEqual([])
    expect(await refusesConnections(port)).toBe(true)
  },
)

test.each([
  ['is done and forgot to stop its server', '', 0],
  ['exits', 'process.exit(3)', 3],
])('a process that %s is not kept alive, and takes its server along', async (_, then, code) => {
  const child = parent(then)
  expect(await once(child, 'exit')).toEqual([code, null])
  await expect.poll(leftBehind, { timeout: 10_000 }).toEqual([])
})

test('a process that dies while its server is being made leaves nothing either', async () => {
  const child = parent('')
  await says(child, 'starting')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(leftBehind, { timeout: 10_000 }).toEqual([])
})
