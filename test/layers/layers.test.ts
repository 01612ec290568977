import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ICruiseResult, cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importRules } from './import-rules.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Breach {
  readonly from: string
  readonly to: string
  readonly rule: string
}

/** Reads every import of the packages under `folder`, and returns those that a rule forbids. */
async function breaches(folder: string): Promise<{ files: number; breaches: Breach[] }> {
  const { output } = await cruise(
    ['packages'],
    {
      baseDir: folder,
      ruleSet: { forbidden: importRules },
      validate: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(?:^|/)dist/' },
      // Imports of types count as imports.
      tsPreCompilationDeps: true,
      tsConfig: { fileName: join(root, 'tsconfig.json') },
      enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'types'] },
    },
    undefined,
    { tsConfig: extractTSConfig(join(root, 'tsconfig.json')) },
  )
  const { summary, modules } = output as ICruiseResult
  return {
    files: modules.filter(({ source }) => source.startsWith('packages/')).length,
    breaches: summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name })),
  }
}

test('the sources keep to the import table', async () => {
  const found = await breaches(root)
  expect(found.breaches).toEqual([])
  expect(found.files).toBeGreaterThan(40)
})

describe('an import that the table forbids is found', () => {
  const forbidden: readonly { readonly file: string; readonly line: string; readonly rule: string }[] = [
    {
      file: 'packages/core/src/pool/slots.ts',
      line: "import { lease } from '../lease/lease.js'",
      rule: 'core/pool imports only downward',
    },
    {
      file: 'packages/core/src/connection/connection.ts',
      line: "import type { Scope } from '../scope/scope.js'",
      rule: 'core/connection imports only downward',
    },
    {
      file: 'packages/core/src/errors/queue-full-error.ts',
      line: "import { pool } from '../pool/slots.js'",
      rule: 'core/errors, core/events, core/options lie under all layers',
    },
    {
      file: 'packages/core/src/scope/scope.ts',
      line: "import { createPool } from '../index.js'",
      rule: 'nothing in core imports its index',
    },
    {
      file: 'packages/core/src/surface/pool.ts',
      line: "import pg from 'pg'",
      rule: 'packages/core imports only node:',
    },
    {
      file: 'packages/core/src/surface/snapshot.ts',
      line: "import { pgDriver } from '../../../drivers/pg/src/index.js'",
      rule: 'packages/core imports only node:',
    },
    {
      file: 'packages/core/src/lease/lease.ts',
      line: "import { fakeDriver } from '../../../testkit/src/index.js'",
      rule: 'packages/core imports only node:',
    },
    {
      file: 'packages/drivers/pg/src/leased-pg-pool.ts',
      line: "import { slots } from '../../../core/src/pool/slots.js'",
      rule: 'packages/drivers/pg imports only',
    },
    {
      file: 'packages/drivers/pg/src/pg-driver.ts',
      line: "import knex from 'knex'",
      rule: 'packages/drivers/pg imports only',
    },
    {
      file: 'packages/bindings/fastify/src/leasehold.ts',
      line: "import { createPgPool } from '../../../drivers/pg/src/index.js'",
      rule: 'packages/bindings/fastify imports only',
    },
    {
      file: 'packages/adapters/knex/src/create-knex.ts',
      line: "import { journey } from '../../../../test/journeys/journey.js'",
      rule: 'no package imports examples, test, bench',
    },
    {
      file: 'packages/drivers/pg/src/facade/leased-pool.ts',
      line: "import { backend } from '../testing/backend.js'",
      rule: 'what is published does not import what is for tests',
    },
    {
      file: 'packages/novelty/src/index.ts',
      line: "import 'node:fs'",
      rule: 'every package has a rule in the table',
    },
    {
      file: 'packages/core/src/common/list.ts',
      line: "import 'node:fs'",
      rule: 'every folder of core is a layer of the table',
    },
  ]
  const allowed: readonly { readonly file: string; readonly line: string }[] = [
    { file: 'packages/core/src/index.ts', line: "export { createPool } from './surface/create-pool.js'" },
    { file: 'packages/core/src/surface/create-pool.ts', line: "import { slots } from '../pool/slots.js'" },
    { file: 'packages/core/src/options/pool-options.ts', line: "import type { Clock } from '../ports/clock.js'" },
    { file: 'packages/drivers/pg/src/index.ts', line: "import { Pool } from 'pg'" },
    { file: 'packages/adapters/knex/src/index.ts', line: "import { pg } from '../../../drivers/pg/src/index.js'" },
    {
      file: 'packages/core/src/pool/slots.test.ts',
      line: "import { fakeDriver } from '../../../testkit/src/index.js'",
    },
  ]
  const others = [
    'packages/core/src/ports/clock.ts',
    'packages/testkit/src/index.ts',
    'packages/drivers/pg/src/testing/backend.ts',
    'test/journeys/journey.ts',
    'packages/bindings/fastify/src/index.ts',
  ]
  let folder = ''
  let found: Breach[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'leasehold-layers-'))
    for (const file of others) write(file, 'export {}')
    for (const { file, line } of [...forbidden, ...allowed]) write(file, line)
    found = (await breaches(folder)).breaches
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(forbidden)('$file: $line', ({ file, rule }) => {
    expect(found.filter(({ from }) => from === file).map((breach) => breach.rule)).toContainEqual(
      expect.stringContaining(rule),
    )
  })

  test('and one that it allows is not', () => {
    const guilty = new Set(forbidden.map(({ file }) => file))
    expect(found.filter(({ from }) => !guilty.has(from))).toEqual([])
  })

  function write(file: string, line: string): void {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), `${line}\n`)
  }
})
