import { readFileSync } from 'node:fs'

export interface UnprivilegedUser {
  readonly uid: number
  readonly gid: number
}

/**
 * Whom PostgreSQL, which refuses to run as root, runs as when we are root: an existing system user, so that nothing has
 * to be installed. It must have an entry in /etc/passwd, because initdb looks its own name up. Undefined if we are not root.
 */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , uid]) => Number(uid) > 0)
  const user = ['postgres', 'nobody'].map((name) => users.find(([known]) => known === name)).find(Boolean) ?? users[0]
  if (!user) throw new Error('PostgreSQL cannot run as root, and /etc/passwd knows nobody else: set DATABASE_URL')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}
