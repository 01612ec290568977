import type { SettingsDifference } from '@leasehold/core'

/** The settings that owners of one fake session declared: in force, still to be made, and what each statement ran with. */
export class FakeSettings {
  readonly inForce = new Map<string, string>()
  /** Every statement of an owner, with the declared settings that it ran with. */
  readonly ran: Array<{ readonly text: string; readonly settings: Readonly<Record<string, string>> }> = []
  #due: SettingsDifference | undefined

  declare(difference: SettingsDifference): void {
    this.#due = difference.set.length + difference.clear.length > 0 ? difference : undefined
  }

  /** A statement goes out. Returns what goes with it. */
  goWith(text: string): SettingsDifference | undefined {
    const difference = this.#due
    this.#due = undefined
    this.ran.push({ text, settings: Object.fromEntries(this.#with(difference)) })
    return difference
  }

  /** The statement has failed, and has undone what went with it. */
  goAgain(difference: SettingsDifference | undefined): void {
    this.#due ??= difference
  }

  made(difference: SettingsDifference): void {
    const settings = this.#with(difference)
    this.inForce.clear()
    for (const [name, value] of settings) this.inForce.set(name, value)
  }

  #with(difference: SettingsDifference | undefined): Map<string, string> {
    const changed = new Map(this.inForce)
    for (const name of difference?.clear ?? []) changed.delete(name)
    for (const [name, value] of difference?.set ?? []) changed.set(name, value)
    return changed
  }
}
