import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describe, expect, test } from 'vitest'
import { publishablePackages } from '../../scripts/publishable-packages.mjs'
import { useInstallation } from './use-installation.js'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../..', import.meta.url))
const { folder, tarballOf } = useInstallation()
const names = publishablePackages().map(({ name }) => name)

describe.each(names)('%s', (name) => {
  test('is what publint wants a package to be', async () => {
    const { buffer } = await readFile(tarballOf(name))
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('says what it is to who looks for it', async () => {
    const told: unknown = JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
    expect(told).toMatchObject({
      description: expect.stringMatching(/^\S.*\.$/) as unknown,
      keywords: expect.arrayContaining(['pool']) as unknown,
      license: 'MIT',
      engines: { node: '>=20.19' },
      sideEffects: false,
    })
  })

  test('has types that are right for every way of resolving them', async () => {
    // `npx` would start it; the package does not export it.
    const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')
    const { stdout } = await run(process.execPath, [attw, '--no-color', tarballOf(name)])
    expect(stdout).toContain('No problems found')
  })

  test('carries its build, its licence and its README, and nothing else', async () => {
    const installed = await readdir(join(folder, 'node_modules', name), { recursive: true, withFileTypes: true })
    const files = installed.filter((entry) => entry.isFile())
    expect(files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file.name))).toEqual([])
    const top = await readdir(join(folder, 'node_modules', name))
    expect(top.filter((entry) => entry !== 'node_modules').toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'package.json',
    ])
    expect(await readFile(join(folder, 'node_modules', name, 'LICENSE'), 'utf8')).toBe(
      await readFile(join(root, 'LICENSE'), 'utf8'),
    )
  })
})

test('one copy of each package is installed', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable', ...names], {
    cwd: folder,
  })
  const paths = stdout
    .trim()
    .split('\n')
    .map((path) => path.slice(folder.length + 1))
  expect([...new Set(paths)].toSorted()).toEqual(names.map((name) => `node_modules/${name}`).toSorted())
})
