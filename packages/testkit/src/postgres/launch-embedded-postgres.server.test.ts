import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { freePort } from './free-port.js'
import { launchEmbeddedPostgres } from './launch-embedded-postgres.js'

vi.mock('./free-port.js', { spy: true })

test('a port that somebody else took in the meantime is given up for another', async () => {
  const taken = await freePort()
  const somebody = createServer().listen(taken, '127.0.0.1')
  await once(somebody, 'listening')
  vi.mocked(freePort).mockClear().mockResolvedValueOnce(taken)
  try {
    const server = await launchEmbeddedPostgres({})
    await server.stop()
    expect(server.port).not.toBe(taken)
    expect(freePort).toHaveBeenCalledTimes(2)
  } finally {
    somebody.close()
  }
})
