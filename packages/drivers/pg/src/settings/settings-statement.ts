import type { SettingsDifference } from '@leasehold/core'

/** What makes settings: a text, and the names and values that are bound to it. */
export interface SettingsStatement {
  readonly text: string
  readonly values: ReadonlyArray<string | null>
}

export interface SettingsTerms {
  /** They end with the transaction. */
  readonly isLocal: boolean
  /** The process that must do it, where there is doubt whether the connection leads to the same one every time. */
  readonly processId: number | undefined
}

/** A setting that nobody has: asking for it is an error that says what is the matter, and that no plan can foresee. */
export const NOT_THE_PROCESS = 'leasehold.another_process'

/**
 * The statement that makes a difference, in an order in which each part is allowed what the session's own user is allowed:
 * a role that others declared is put off first, and the one declared is put on last. What is evaluated is so from left to
 * right.
 */
export function settingsStatement(
  { set, clear, keep }: SettingsDifference,
  { isLocal, processId }: SettingsTerms,
): SettingsStatement {
  const isRole = ([name]: readonly [string, string | null]): boolean => name === 'role'
  const changes = [...clear.map((name) => [name, null] as const), ...set]
  const others = changes.filter((change) => !isRole(change))
  const role = set.find(isRole) ?? (others.length > 0 ? keep.find(isRole) : undefined)
  const putsOff = role !== undefined ? others.length > 0 : clear.includes('role')
  const inOrder = [...(putsOff ? [['role', null] as const] : []), ...others, ...(role === undefined ? [] : [role])]

  const values: Array<string | null> = []
  const bound = (value: string | null): string => `$${values.push(value)}`
  const columns: string[] = []
  if (processId !== undefined) {
    columns.push(
      `CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ${bound(String(processId))}::pg_catalog.int4` +
        ` THEN '' ELSE pg_catalog.current_setting('${NOT_THE_PROCESS}') END`,
    )
  }
  // A null stands for what the session began with.
  for (const [name, value] of inOrder) {
    columns.push(`pg_catalog.set_config(${bound(name)},${bound(value)},${isLocal})`)
  }
  return { text: `SELECT ${columns.join(',')}`, values }
}
