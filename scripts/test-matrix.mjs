// Runs the tests of each package with the oldest and the newest version of what it stands on, and tells what ran.
//
//   npm run test:matrix                   all of `supported-versions.mjs`
//   npm run test:matrix -- prisma nestjs  only these products
//
// What is not installed in this repository is installed in a folder of its own under the system's temporary folder,
// and stays there for the next time. Into it the sources are copied: a package that is not found there is found in this
// repository's `node_modules`, to which a link beside it leads.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { supportedVersions } from './supported-versions.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
// Not in `node_modules`: what lies there is no source to vitest.
const home = join(tmpdir(), `leasehold-matrix-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`)

const asked = process.argv.slice(2).map((name) => name.toLowerCase())
const chosen = supportedVersions.filter(({ product }) => asked.length === 0 || asked.includes(product.toLowerCase()))
if (chosen.length === 0) throw new Error(`none of ${supportedVersions.map(({ product }) => product).join(', ')}`)

const lines = chosen.map((versions) => {
  const { product, install } = versions
  const version = versions.version ?? versionsOf(versions)
  console.log(`\n── ${product} ${version}`)
  const folder = install === undefined ? root : installed(`${product} ${version}`, install)
  const { verdict, ran, leftOut, seconds } = test(folder, versions)
  return [product, version, `${ran}`, leftOut === 0 ? '' : `${leftOut}`, `${seconds} s`, verdict]
})

const heads = ['', 'version', 'tests passed', 'left out', 'time', '']
const widths = heads.map((head, at) => Math.max(head.length, ...lines.map((line) => line[at]?.length ?? 0)))
console.log()
for (const line of [heads, ...lines]) console.log(line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
if (lines.some((line) => line.at(-1) !== 'ok')) process.exitCode = 1

/**
 * The versions that the packages' own tests are run with every day.
 *
 * @param {import('./supported-versions.mjs').SupportedVersions} versions
 */
function versionsOf({ tests, shown = [] }) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, tests[0] ?? '', 'package.json'), 'utf8'))
  const versions = { ...dependencies, ...devDependencies }
  return shown.map((name) => versions[name].replace(/^npm:.*@|-beta.*/g, '')).join(', ')
}

/**
 * A copy of the sources that finds these packages rather than those of this repository.
 *
 * @param {string} name
 * @param {Readonly<Record<string, string>>} packages
 */
function installed(name, packages) {
  const folder = join(home, name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-'))
  mkdirSync(folder, { recursive: true })
  link(join(root, 'node_modules'), join(home, 'node_modules'))

  const file = join(folder, 'package.json')
  const { overrides } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: packages, overrides })
  if (!existsSync(file) || readFileSync(file, 'utf8') !== manifest || !existsSync(join(folder, 'node_modules'))) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    // Their install scripts would fetch engines and binaries that the tests do without.
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
    writeFileSync(file, manifest)
    try {
      execFileSync('npm', ['install', ...options], { cwd: folder, stdio: 'inherit' })
    } catch (error) {
      rmSync(file)
      throw error
    }
  }

  for (const copied of ['packages', 'test', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.base.json']) {
    rmSync(join(folder, copied), { recursive: true, force: true })
    cpSync(join(root, copied), join(folder, copied), { recursive: true, filter: isSource })
  }
  for (const manifestFile of nested('package.json')) {
    const from = dirname(join(root, manifestFile))
    const to = dirname(join(folder, manifestFile))
    // What npm could not put into the root, because another version stands there.
    for (const own of packagesIn(join(from, 'node_modules'))) {
      if (!(own in packages)) link(join(from, 'node_modules', own), join(to, 'node_modules', own))
    }
    const { name: workspace } = JSON.parse(readFileSync(join(root, manifestFile), 'utf8'))
    link(to, join(folder, 'node_modules', workspace))
  }
  return folder
}

/** @param {string} path */
function isSource(path) {
  return !['node_modules', 'dist', '.generated', '.turbo'].includes(basename(path))
}

/**
 * The files of this name in the folders of the packages.
 *
 * @param {string} name
 */
function nested(name) {
  return readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
    .filter((path) => basename(path) === name && !/node_modules|dist|\.generated/.test(path))
    .map((path) => join('packages', path))
    .concat(join('test', name))
}

/**
 * The packages in a `node_modules`, scoped ones with their scope.
 *
 * @param {string} folder
 */
function packagesIn(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(folder, name)).map((own) => join(name, own)) : [name]))
}

/**
 * @param {string} target
 * @param {string} path
 */
function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  symlinkSync(target, path, 'junction')
}

/**
 * @param {string} folder
 * @param {import('./supported-versions.mjs').SupportedVersions} versions
 */
function test(folder, { tests, without }) {
  const began = Date.now()
  const report = join(folder, 'node_modules', '.leasehold-matrix.json')
  rmSync(report, { force: true })
  const names = without === undefined ? [] : ['--testNamePattern', `^(?!.*${without})`]
  const command = join(relative(folder, root), 'node_modules/vitest/vitest.mjs')
  const projects = ['--project', 'unit', '--project', 'server']
  const reporters = ['--reporter', 'dot', '--reporter', 'json', `--outputFile.json=${report}`]
  const { status } = spawnSync(process.execPath, [command, 'run', ...projects, ...reporters, ...names, ...tests], {
    cwd: folder,
    stdio: 'inherit',
  })
  const { numPassedTests = 0, numPendingTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  return {
    verdict: status === 0 && numPassedTests > 0 ? 'ok' : 'FAILED',
    ran: numPassedTests,
    leftOut: numPendingTests,
    seconds: Math.round((Date.now() - began) / 1_000),
  }
}
