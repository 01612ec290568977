// Started by start-postgres.ts, with tsx: testkit is never built. Says where the server is, and stops it at end of input.
import { startPostgres } from '@leasehold/testkit/postgres'

const server = await startPostgres()
process.stdout.write(`${server.url}\n`)
process.stdin.resume().once('end', () => void server.stop())
