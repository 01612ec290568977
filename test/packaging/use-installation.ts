import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, inject, vi } from 'vitest'
import { INSTALLED, type Installed } from './installed.js'

export interface Installation {
  /** Of the service that has installed the packages. */
  readonly folder: string
  /** The tarball of a package. */
  tarballOf(name: string): string
}

/** The tests of the file that calls this at its top begin when the installation that `installation.ts` began has ended. */
export function useInstallation(): Installation {
  const folder = inject('installationFolder')
  let tarballs: Readonly<Record<string, string>> = {}
  beforeAll(async () => {
    const file = join(folder, INSTALLED)
    await vi.waitUntil(() => existsSync(file), { timeout: 590_000, interval: 200 })
    const installed = JSON.parse(await readFile(file, 'utf8')) as Installed
    if (installed.is === 'failed') throw new Error(installed.why)
    tarballs = installed.tarballs
  })
  return {
    folder,
    tarballOf(name) {
      const tarball = tarballs[name]
      if (tarball === undefined) throw new Error(`${name} was not packed`)
      return tarball
    },
  }
}
