import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as core from '@leasehold/core'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { publishablePackages } from '../../scripts/publishable-packages.mjs'

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly import: { readonly default: string } }>>
}

/** The sources that a package's `exports` are built from: `index`, `terminus`, `testing/index`. */
function entriesOf(folder: string): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  return Object.values(exports)
    .filter((entry) => typeof entry === 'object')
    .map((entry) => entry.import.default.replace('./dist/esm/', '').replace(/\.js$/, ''))
}

/** Functions and classes, by name; without those of core that a binding passes on, which have their test there. */
async function publicFunctionsOf(folder: string, entry: string): Promise<readonly string[]> {
  const file = pathToFileURL(join(folder, 'src', `${entry}.ts`)).href
  const exported = (await import(/* @vite-ignore */ file)) as Record<string, unknown>
  const isOfCore = (value: unknown): boolean =>
    !folder.endsWith('/core') && Object.values(core).includes(value as never)
  return Object.entries(exported)
    .filter(([, value]) => typeof value === 'function' && !isOfCore(value))
    .map(([name]) => name)
}

/** What the type tests of a package import from an entry. Each import is used, or TypeScript would complain. */
function typeTested(folder: string, entry: string): readonly string[] {
  const source = join(folder, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)types[^/]*\.test\.ts$/.test(path),
  )
  return files.flatMap((path) => {
    const { statements } = ts.createSourceFile(path, readFileSync(join(source, path), 'utf8'), ts.ScriptTarget.Latest)
    return statements
      .filter((statement) => ts.isImportDeclaration(statement))
      .filter(({ moduleSpecifier }) => {
        const { text } = moduleSpecifier as ts.StringLiteral
        return text.startsWith('.') && text.endsWith(`/${entry}.js`)
      })
      .flatMap(({ importClause }) => namesIn(importClause))
  })
}

function namesIn(clause: ts.ImportClause | undefined): readonly string[] {
  if (clause === undefined || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return []
  const named =
    clause.namedBindings !== undefined && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings : undefined
  const names = (named?.elements ?? [])
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map(({ propertyName, name }) => (propertyName ?? name).text)
  return clause.name === undefined ? names : ['default', ...names]
}

const entries = publishablePackages().flatMap(({ name, folder }) =>
  entriesOf(folder).map((entry) => ({ name, folder, entry })),
)

test.each(entries)('every public function of $name ($entry) has a type test', async ({ folder, entry }) => {
  const exported = await publicFunctionsOf(folder, entry)
  expect(exported).not.toEqual([])
  const tested = typeTested(folder, entry)
  expect(exported.filter((name) => !tested.includes(name))).toEqual([])
})
