import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { prepareServerFolder } from './prepare-server-folder.js'
import { unprivilegedUser } from './unprivileged-user.js'

const user = unprivilegedUser()
const made: string[] = []

afterEach(() => {
  vi.unstubAllEnvs()
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that only its maker may enter, as /root is, with something like a server in it. */
function binariesOutOfReach(): string {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-out-of-reach-'))
  made.push(folder)
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin', 'postgres'), '#!/bin/sh\necho served', { mode: 0o755 })
  symlinkSync('postgres', join(folder, 'bin', 'postmaster'))
  return folder
}

function prepare(installed: string): { readonly folder: string; readonly native: string } {
  const prepared = prepareServerFolder(user, 'secret', installed)
  made.push(prepared.folder)
  return prepared
}

/** Which tests there are depends on who runs them: none is skipped. */
const whenRoot: typeof test = user === undefined ? ((() => {}) as unknown as typeof test) : test
const whenOrdinary: typeof test = user === undefined ? test : ((() => {}) as unknown as typeof test)

test('the password lies in the folder, and only the user of the server can read it', () => {
  const { folder } = prepare(binariesOutOfReach())
  const password = join(folder, 'password')
  expect(readFileSync(password, 'utf8')).toBe('secret')
  expect(statSync(password).mode & 0o077).toBe(0)
  expect(statSync(password).uid).toBe(user?.uid ?? process.getuid?.())
})

whenOrdinary('binaries are used where they are by whoever installed them', () => {
  const installed = binariesOutOfReach()
  expect(prepare(installed).native).toBe(installed)
})

whenRoot('binaries that the user of the server cannot reach are copied to where it can, links as links', () => {
  const { native } = prepare(binariesOutOfReach())
  const { stdout } = spawnSync(join(native, 'bin', 'postmaster'), { ...user, cwd: '/', encoding: 'utf8' })
  expect(stdout).toBe('served\n')
})

whenRoot('the user of the server can remove all of the folder', () => {
  const { folder } = prepare(binariesOutOfReach())
  expect(spawnSync('rm', ['-rf', folder], { ...user, cwd: '/' }).status).toBe(0)
})

whenRoot('a TMPDIR that only root may enter is not used for a server of somebody else', () => {
  const own = mkdtempSync(join(tmpdir(), 'leasehold-tmpdir-'))
  made.push(own)
  const installed = binariesOutOfReach()
  vi.stubEnv('TMPDIR', own)
  expect(prepare(installed).folder.startsWith(own)).toBe(false)
})
