const WARNING =
  'LeasedPgPool: a proxy stands before the server, and its sessions may not be the same for long: no statement is prepared. ' +
  "Say `leasehold: { behind: 'nothing' }` if it pools whole sessions, or leave `preparedStatements` out"

/** Says once, whatever the number of connections, that statements go out as they come. */
export function warnOfProxy(): () => void {
  let isSaid = false
  return () => {
    if (isSaid) return
    isSaid = true
    process.emitWarning(WARNING, { type: 'LeaseholdWarning', code: 'LEASEHOLD_NOT_PREPARED' })
  }
}
