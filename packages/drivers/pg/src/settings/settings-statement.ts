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

type Change = readonly [name: string, value: string | null]

/**
 * The statement that makes a difference, in an order in which each part is allowed what the session's own user is allowed:
 * a role that others declared is put off first, and the one declared is put on last. What is evaluated is so from left to
 * right.
 */
export function settingsStatement(
  difference: SettingsDifference,
  { isLocal, processId }: SettingsTerms,
): SettingsStatement {
  const changes = inAllowedOrder(difference)
  const values: Array<string | null> = processId === undefined ? [] : [String(processId)]
  for (const [name, value] of changes) values.push(name, value)
  return { text: textFor(changes.length, isLocal, processId !== undefined), values }
}

function inAllowedOrder({ set, clear, keep }: SettingsDifference): readonly Change[] {
  // Most services declare no role, and always the same names.
  if (clear.length === 0 && !set.some(isRole) && !keep.some(isRole)) return set
  // A null stands for what the session began with.
  const changes = [...clear.map((name): Change => [name, null]), ...set]
  const others = changes.filter((change) => !isRole(change))
  const role = set.find(isRole) ?? (others.length > 0 ? keep.find(isRole) : undefined)
  const putsOff = role !== undefined ? others.length > 0 : clear.includes('role')
  return [...(putsOff ? [['role', null] as const] : []), ...others, ...(role === undefined ? [] : [role])]
}

function isRole([name]: Change): boolean {
  return name === 'role'
}

/** By how many changes they make: there are as many as there are numbers of settings that somebody declares. */
const texts = { local: [] as string[], lasting: [] as string[] }

function textFor(changes: number, isLocal: boolean, asksForProcess: boolean): string {
  // Only the first of a connection does.
  if (asksForProcess) return textOf(changes, isLocal, true)
  const known = isLocal ? texts.local : texts.lasting
  return (known[changes] ??= textOf(changes, isLocal, false))
}

function textOf(changes: number, isLocal: boolean, asksForProcess: boolean): string {
  let bound = 0
  const next = (): string => `$${++bound}`
  const process = asksForProcess
    ? [
        `CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ${next()}::pg_catalog.int4` +
          ` THEN '' ELSE pg_catalog.current_setting('${NOT_THE_PROCESS}') END`,
      ]
    : []
  const settings = Array.from({ length: changes }, () => `pg_catalog.set_config(${next()},${next()},${isLocal})`)
  return `SELECT ${[...process, ...settings].join(',')}`
}
