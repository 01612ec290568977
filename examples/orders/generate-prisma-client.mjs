// Prisma wants to download an engine that it needs for other commands, but not for this one, and to ask whether there is
// a newer version of it. With any program in place of the engine it works without network, and takes a second.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Generates the Prisma client of an example into its `.generated/client`, unless it is there and up to date.
 *
 * @param {string} of the url of a file in the example's folder.
 * @param {URL} at where its schema is: beside that file, or with another example.
 */
export function generatePrismaClient(of, at = new URL('schema.prisma', of)) {
  const require = createRequire(of)
  const schema = readFileSync(at, 'utf8')
  const version = require('@prisma/client/package.json').version
  const made = `${version}\n${schema}`
  const home = new URL('.generated/', of)
  const client = new URL('client/', home)
  const note = new URL('made-of', client)
  if (existsSync(note) && readFileSync(note, 'utf8') === made) return

  const draft = new URL(`draft-${process.pid}/`, home)
  mkdirSync(draft, { recursive: true })
  try {
    const file = fileURLToPath(new URL('schema.prisma', draft))
    writeFileSync(file, schema)
    execFileSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate', '--schema', file], {
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
      // What it says is in the error, if there is one.
      stdio: 'pipe',
    })
    writeFileSync(new URL('client/made-of', draft), made)
    // So that nobody who does the same at this moment sees one that is half done.
    rmSync(client, { recursive: true, force: true })
    renameSync(new URL('client/', draft), client)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
