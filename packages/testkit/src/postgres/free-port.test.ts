import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from './free-port.js'

test('a server can listen on the port at once', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  expect(server.listening).toBe(true)
  server.close()
})

test('two callers at the same time get different ports', async () => {
  const [one, other] = await Promise.all([freePort(), freePort()])
  expect(one).not.toBe(other)
})
