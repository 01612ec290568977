import { parseArgs } from 'node:util'
import { createDatabase, startPostgres } from '@leasehold/testkit/postgres'
import { paintFor } from './paint.js'
import { Progress } from './progress.js'
import { runLoad } from './run-load.js'
import { settings } from './settings.js'
import type { Summary } from './summary.js'
import { table } from './table.js'

const { json = false, seconds: given } = parseArgs({
  options: { json: { type: 'boolean' }, seconds: { type: 'string' } },
}).values
const seconds = given === undefined ? settings.seconds : Number(given)
if (!(seconds >= 1 && seconds <= 3_600)) throw new RangeError(`--seconds is a number from 1 to 3600, not ${given}`)

const screen = json ? process.stderr : process.stdout
const progress = new Progress(screen, paintFor(screen), seconds)
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())

async function demonstrate(): Promise<Summary> {
  progress.begin()
  progress.say('starting PostgreSQL …')
  const postgres = await startPostgres()
  try {
    const database = await createDatabase(postgres)
    try {
      return await runLoad(database.url, seconds, interrupted.signal, progress)
    } finally {
      await database.drop()
    }
  } finally {
    await postgres.stop()
  }
}

try {
  const summary = await demonstrate()
  progress.end()
  console.log(json ? JSON.stringify(summary) : `${table(summary, paintFor(process.stdout))}\n`)
  process.exitCode = summary.ok ? 0 : 1
} catch (error) {
  progress.end()
  if (!interrupted.signal.aborted) console.error(error)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}
