import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @typedef {object} PublishablePackage
 * @property {string} name
 * @property {string} folder as an absolute path
 * @property {{ version: string, peerDependencies?: Record<string, string>, dependencies?: Record<string, string> }} manifest
 */

/**
 * Every package of the workspace that is not private, each after those it builds on.
 *
 * @returns {PublishablePackage[]}
 */
export function publishablePackages() {
  const { workspaces } = readManifest(root)
  return workspaces
    .flatMap((/** @type {string} */ pattern) => foldersOf(pattern))
    .map((/** @type {string} */ folder) => ({ folder, manifest: readManifest(folder) }))
    .filter((/** @type {{ manifest: any }} */ { manifest }) => manifest.private !== true)
    .map((/** @type {{ folder: string, manifest: any }} */ found) => ({ name: found.manifest.name, ...found }))
}

/** @param {string} pattern a path, or a path that ends in `/*` */
function foldersOf(pattern) {
  if (!pattern.endsWith('/*')) return [join(root, pattern)]
  const parent = join(root, dirname(pattern))
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
}

/** @param {string} folder */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
