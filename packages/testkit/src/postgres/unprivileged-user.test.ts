import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { unprivilegedUser } from './unprivileged-user.js'

const root = process.getuid?.() === 0

test.runIf(root)('root gets a user who is not root, and whom the system knows by name', () => {
  const user = unprivilegedUser()
  expect(user?.uid).toBeGreaterThan(0)
  const { stdout } = spawnSync('id', ['-un'], { ...user, cwd: '/', encoding: 'utf8' })
  expect(stdout.trim()).toMatch(/^[a-z]/)
})

test.skipIf(root)('who is not root already needs nobody else', () => {
  expect(unprivilegedUser()).toBeUndefined()
})
