import { SettingsFailedError, type SettingsDifference } from '@leasehold/core'
import type { StatementSettings, Turn } from '../session/statement-turns.js'

/** For a client that is not pg's own: nothing can be seen of its wire, so what declares settings is refused. */
export class RefusedSettings implements StatementSettings {
  #names: readonly string[] = []

  get isDue(): boolean {
    return this.#names.length > 0
  }

  declare({ set, clear }: SettingsDifference): void {
    this.#names = [...set.map(([name]) => name), ...clear]
  }

  start(turn: Turn): void {
    const why = "the client is not pg's own"
    turn.refuse(new SettingsFailedError({ settings: this.#names, why, remedy: "Use pg's Client, or a class of it" }))
  }

  forgo(): boolean {
    return false
  }
}
