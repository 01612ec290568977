import type { Member } from './members.js'

export const failure = new Error('of the work')

export function insert(name: string): string {
  return `insert into rows values ('${name}')`
}

/** A transaction of several statements, which gives others the chance to come between. */
export function writeRows(member: Member, name: string, fails: boolean): Promise<void> {
  return member.transaction(async (run) => {
    await run(insert(`${name} first`))
    await new Promise(setImmediate)
    await run(insert(`${name} second`))
    if (fails) throw failure
    await run(insert(`${name} third`))
  })
}
