import type { Connection } from '../connection/connection.js'
import { SettingsFailedError } from '../errors/settings-failed-error.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { Driver } from '../ports/driver.js'
import type { SettingsDifference } from '../ports/settings.js'
import { Lending } from './lending.js'

const NO_DIFFERENCE: SettingsDifference = { set: [], clear: [], keep: [] }

/** Tells the driver which settings sessions are to carry, with the next statement of their owners. */
export class Declarations<Client> {
  readonly #driver: Driver<Client>

  constructor(driver: Driver<Client>) {
    this.#driver = driver
  }

  /**
   * Has the session carry just these settings. What is returned is why it will not, if the driver fails to be told: its lease
   * is over then, so that no statement goes out with settings that nobody knows.
   */
  declare(connection: Connection<Client>, settings: DeclaredSettings | undefined): SettingsFailedError | undefined {
    const { ledger } = connection
    return ledger.carries(settings) ? this.undeclare(connection) : this.#tell(connection, ledger.ask(settings))
  }

  /** What was to go with a statement that never came must not go with anybody else's. */
  undeclare(connection: Connection<Client>): SettingsFailedError | undefined {
    const { ledger } = connection
    if (!ledger.owesSettings) return undefined
    ledger.askNoMore()
    return this.#tell(connection, NO_DIFFERENCE)
  }

  #tell(connection: Connection<Client>, difference: SettingsDifference): SettingsFailedError | undefined {
    // Without `callSafely` and its functions: each lease that declares others than the last one comes by here.
    try {
      const told: unknown = this.#driver.declare?.(connection.client, difference)
      if (told instanceof Promise) told.catch((cause: unknown) => void this.#failed(connection, difference, cause))
      return undefined
    } catch (cause) {
      return this.#failed(connection, difference, cause)
    }
  }

  #failed(connection: Connection<Client>, difference: SettingsDifference, cause: unknown): SettingsFailedError {
    const failure = new SettingsFailedError({
      settings: [...difference.set.map(([name]) => name), ...difference.clear],
      why: `driver ${this.#driver.name} failed to take them`,
      remedy: 'This is a bug of the driver: tell who wrote it',
      cause,
    })
    connection.ledger.lost(failure)
    const { state } = connection
    if (state.at === 'lent' && state.to instanceof Lending) state.to.discard(failure)
    return failure
  }
}
