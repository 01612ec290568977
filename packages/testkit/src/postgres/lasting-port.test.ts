import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { lastingPort } from './lasting-port.js'

test('one can listen there, and no socket that dials is ever given it', async () => {
  const port = await lastingPort()
  expect(port).toBeLessThan(32_768)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})
