import type { TestProject } from 'vitest/node'
import { startPostgres } from './start-postgres.js'

/** One PostgreSQL for a whole run of vitest (`globalSetup`): starting one costs half a second, a database in it 40 ms. */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}
