import type { DeclaredSettings } from '../options/declared-settings.js'
import type { SettingsDifference } from '../ports/settings.js'

const NOTHING: DeclaredSettings = new Map()

/** Which declared settings a session carries now, as far as is known. */
export class SessionSettings {
  /** By name. An undefined value is one that somebody else may have changed. */
  readonly #carried = new Map<string, string | undefined>()

  get names(): readonly string[] {
    return [...this.#carried.keys()]
  }

  /** Whether the session carries just what `wanted` declares. */
  carries(wanted: DeclaredSettings | undefined): boolean {
    if (this.#carried.size !== (wanted?.size ?? 0)) return false
    for (const [name, value] of this.#carried) if (value === undefined || wanted?.get(name) !== value) return false
    return true
  }

  /** What must change for it to carry just that. */
  differenceTo(wanted: DeclaredSettings = NOTHING): SettingsDifference {
    const set: Array<readonly [string, string]> = []
    const keep: Array<readonly [string, string]> = []
    for (const entry of wanted) (this.#carried.get(entry[0]) === entry[1] ? keep : set).push(entry)
    return { set, clear: [...this.#carried.keys()].filter((name) => !wanted.has(name)), keep }
  }

  /** The difference has been made. */
  book({ set, clear }: SettingsDifference): void {
    for (const name of clear) this.#carried.delete(name)
    for (const [name, value] of set) this.#carried.set(name, value)
  }

  /** The setting of this name is back at what it was before anybody declared it. */
  forget(name: string | undefined): void {
    if (name !== undefined) this.#carried.delete(name.toLowerCase())
  }

  /** Somebody may have changed the setting of this name, or any of them. */
  touch(name: string | undefined): void {
    const folded = name?.toLowerCase()
    for (const carried of this.#carried.keys()) {
      if (folded === undefined || folded === carried) this.#carried.set(carried, undefined)
    }
  }
}
