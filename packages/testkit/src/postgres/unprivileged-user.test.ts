import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { unprivilegedUser } from './unprivileged-user.js'

const root = process.getuid?.() === 0

test('root gets a user who is not root, whom the system knows by name; who is not root needs nobody else', () => {
  const user = unprivilegedUser()
  expect(user !== undefined).toBe(root)
  expect(user?.uid).not.toBe(0)
  const { stdout } = spawnSync('id', ['-un'], { ...user, cwd: '/', encoding: 'utf8' })
  expect(stdout.trim()).toMatch(/^[a-z]/)
})
