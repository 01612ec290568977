import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, expect, test } from 'vitest'

/**
 * Shows that an example runs as its README says.
 *
 * @param folder of the example.
 * @param use what a first user does with it; the url has no slash at its end.
 */
export function describeNpmStart(folder: URL, use: (url: string) => Promise<void> = openAnAccount): void {
  const database = usePostgres()
  let service: ChildProcess | undefined

  afterEach(() => service?.kill('SIGKILL'))

  test('npm start makes the tables and serves requests, until it is told to stop', async () => {
    const path = fileURLToPath(folder)
    // What `npm start` runs, without npm and a shell in between, which do not pass signals on everywhere.
    service = spawn(process.execPath, ['--import', 'tsx', 'src/server.ts'], {
      cwd: path,
      env: { ...process.env, DATABASE_URL: database.url, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [service.stdout, service.stderr]) stream?.on('data', (text) => (said += String(text)))
    const ended = once(service, 'exit')
    const url = await new Promise<string>((resolve, reject) => {
      service?.stdout?.on('data', () => {
        const [, listensOn] = /^listening on (\S+)$/m.exec(said) ?? []
        if (listensOn !== undefined) resolve(listensOn)
      })
      ended.then(() => reject(new Error(`it ended before it listened:\n${said}`)), reject)
    })

    await use(url)

    service.kill('SIGTERM')
    const [code] = await ended
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('SIGTERM: stopping') })
  }, 60_000)
}

async function openAnAccount(url: string): Promise<void> {
  const opened = await fetch(`${url}/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ owner: 'Ada', balanceCents: 10_000 }),
  })
  expect([opened.status, await opened.json()]).toEqual([201, { id: 1, owner: 'Ada', balanceCents: 10_000 }])
  expect((await fetch(`${url}/mistakes/throw`, { method: 'POST' })).status).toBe(404)
}
