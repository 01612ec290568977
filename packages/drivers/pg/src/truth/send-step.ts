import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type * as pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import { Batch } from './batch.js'
import type { Step } from './step.js'

/** Sends a step on a client, ours or any other, and awaits its outcome. */
export async function sendStep(client: pg.Client, step: Step): Promise<void> {
  if (typeof step === 'string') {
    await client.query(step)
  } else if ('text' in step) {
    const { text, values = [], name } = step
    // Of one text everywhere, whatever was sent before: pg refuses a name that it knows with another text.
    const ownName = name === undefined ? {} : { name: createHash('md5').update(text).digest('hex') }
    const statement = { text, values: [...values], queryMode: 'extended', ...ownName }
    await client.query(statement)
  } else if ('batch' in step) {
    const batch = new Batch(step.batch)
    client.query(batch as unknown as pg.Submittable)
    await batch.over
  } else if ('copyIn' in step) {
    await pipeline(Readable.from([step.data]), client.query(copyFrom(step.copyIn)))
  } else if ('copyOut' in step) {
    await pipeline(client.query(copyTo(step.copyOut)), async (rows) => {
      for await (const row of rows) void row
    })
  } else {
    const cursor = client.query(new Cursor(step.portal))
    await cursor.read(step.read)
    if (step.close) await cursor.close()
  }
}
