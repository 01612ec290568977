import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where Debian's package puts it, which is on the path of root only. */
const USUAL = '/usr/sbin'

/** The PgBouncer that is installed, if one is. */
export function pgBouncerBinary(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), USUAL]
  return folders.map((folder) => join(folder, 'pgbouncer')).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
