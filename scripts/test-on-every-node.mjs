// Runs the tests on every version of Node.js that Leasehold promises to work on.
//
//   npm run test:nodes              all of them
//   npm run test:nodes -- 22 24     only these
//   npm run test:nodes -- --others  all but the one that runs this
//
// Files where Node.js cannot make a difference run on one only, that which runs this: see `sameOnEveryNode`.
//
// The npm package `node` brings the versions that are not the one running this; they stay in `node_modules/.cache`.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @type {Record<string, string>} */
const versions = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' }

/**
 * What asks a compiler, a linter of packages or npm, and runs nothing of ours: these come from node_modules, and are the
 * same ones whatever runs them. The packages are installed and serve requests on every Node.
 */
const sameOnEveryNode = [
  'packages/adapters/drizzle/src/types-of-drizzle.test.ts',
  'packages/adapters/prisma/src/types.server.test.ts',
  'test/layers/layers.test.ts',
  'test/packaging/each-package-is-well-made.test.ts',
  'test/packaging/typescript-accepts-the-types.test.ts',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const here = process.versions.node.replace(/\..*/, '')
const asked = process.argv.slice(2)
const known = Object.keys(versions)
const majors = asked[0] === '--others' ? known.filter((major) => major !== here) : asked.length > 0 ? asked : known

for (const file of sameOnEveryNode) if (!existsSync(join(root, file))) throw new Error(`there is no ${file}`)

const failed = majors.filter((major) => {
  const node = nodeBinary(major)
  console.log(`\nNode ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`)
  const { status } = spawnSync(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', '!long'], {
    cwd: root,
    // Whatever a test starts, npm included, has to run on the same Node.
    env: {
      ...process.env,
      PATH: [dirname(node), process.env['PATH']].join(delimiter),
      // The Node that runs this leaves nothing out: there may have been no `npm test` before.
      ...(major !== here && { LEASEHOLD_TESTS_LEFT_OUT: sameOnEveryNode.join() }),
    },
    stdio: 'inherit',
  })
  return status !== 0
})
if (failed.length > 0) throw new Error(`the tests fail on Node ${failed.join(' and ')}`)

/** @param {string} major */
function nodeBinary(major) {
  if (major === here) return process.execPath
  const version = versions[major]
  if (version === undefined) throw new Error(`Node ${major} is none of ${Object.keys(versions).join(', ')}`)
  const folder = join(root, 'node_modules/.cache/nodes', version)
  const binary = join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    // The package fetches the binary in an install script, which npm 11 runs only where it is allowed by name.
    const manifest = { private: true, dependencies: { node: version }, allowScripts: { node: true } }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder, stdio: 'inherit' })
  }
  return binary
}
