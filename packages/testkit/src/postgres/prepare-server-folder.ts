import { spawnSync } from 'node:child_process'
import { cpSync, lchownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresBinaries } from './postgres-binaries.js'
import type { UnprivilegedUser } from './unprivileged-user.js'

/**
 * Makes the temporary folder of one server, with the superuser's password in it, and says where the binaries are. All of
 * it belongs to the user that the server runs as, who also removes it in the end.
 */
export function prepareServerFolder(
  user: UnprivilegedUser | undefined,
  password: string,
  installed = postgresBinaries(),
): { readonly folder: string; readonly native: string } {
  const folder = mkdtempSync(join(temporaryFolder(user), 'leasehold-postgres-'))
  try {
    writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
    // A clone below /root, say, which only root may enter: 0.3 s, and 50 MB for as long as the server runs.
    const outOfReach = user && !can(user, '-x', join(installed, 'bin', 'postgres'))
    const native = outOfReach ? copyBinaries(installed, join(folder, 'native')) : installed
    if (user) give(user, folder)
    return { folder, native }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function temporaryFolder(user: UnprivilegedUser | undefined): string {
  if (!user) return tmpdir()
  // TMPDIR may be root's own.
  return [tmpdir(), '/tmp', '/var/tmp'].find((path) => can(user, '-w', path)) ?? tmpdir()
}

function can(user: UnprivilegedUser, what: '-w' | '-x', path: string): boolean {
  // Only the kernel knows: each folder on the way counts, and access lists too.
  return spawnSync('/bin/sh', ['-c', `test ${what} "$1"`, 'sh', path], { ...user, cwd: '/' }).status === 0
}

function copyBinaries(from: string, to: string): string {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
  return to
}

function give(user: UnprivilegedUser, folder: string): void {
  lchownSync(folder, user.uid, user.gid)
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(folder, path), user.uid, user.gid)
  }
}
