// Run after `changeset version`: lifts what the packages ask of each other to the version just made.
//
// All packages share one version and are peers of each other, so that a service installs one copy of each. Their ranges
// stay open up to the next major version, because a peer that leaves its range makes changesets call the release a major
// one. The lower end has to follow, or an old core would satisfy a new driver.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishablePackages } from './publishable-packages.mjs'

const packages = publishablePackages()
const versions = new Map(packages.map(({ name, manifest }) => [name, manifest.version]))

for (const { folder, manifest } of packages) {
  const peers = manifest.peerDependencies ?? {}
  for (const peer of Object.keys(peers)) {
    const version = versions.get(peer)
    if (version !== undefined) peers[peer] = `>=${version} <${Number.parseInt(version, 10) + 1}.0.0`
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
