import type { OptionFault } from '../errors/invalid-options-error.js'
import { SettingRequiredError } from '../errors/setting-required-error.js'
import { refuseFaults } from '../options/check-options.js'
import type { DeclaredSettings } from '../options/declared-settings.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver } from '../ports/driver.js'
import type { Asked } from './asked.js'

/**
 * Refuses settings that cannot be made, and the want of those that must be.
 *
 * @param wouldRefuse is told of the want in a pool that observes, which lends all the same; undefined in others.
 * @throws {SettingRequiredError} when one of `requireSettings` is not declared.
 * @throws {InvalidOptionsError} naming all that this driver, or this mode, cannot make.
 */
export function checkSettings(
  asked: Asked,
  { name, requireSettings }: Pick<ResolvedPoolOptions, 'name' | 'requireSettings'>,
  driver: Pick<Driver<never>, 'name' | 'declare' | 'undeclarable'>,
  wouldRefuse: ((asked: Asked, why: string) => void) | undefined,
): void {
  if (asked.declares === undefined && requireSettings.length === 0) return
  const { settings } = asked
  const missing = requireSettings.filter((required) => settings?.has(required.toLowerCase()) !== true)
  if (missing.length > 0 && wouldRefuse === undefined) {
    throw new SettingRequiredError({ pool: name, label: asked.label, missing })
  }
  if (missing.length > 0) wouldRefuse?.(asked, `it has not declared ${missing.join(', ')} (requireSettings)`)
  if (settings !== undefined) refuseUndeclarable(settings, asked, driver)
}

function refuseUndeclarable(
  settings: DeclaredSettings,
  asked: Asked,
  { name: driver, declare, undeclarable }: Pick<Driver<never>, 'name' | 'declare' | 'undeclarable'>,
): void {
  const faults: OptionFault[] = []
  if (declare === undefined) {
    const expected = `none: driver ${driver} cannot make them`
    faults.push({ option: 'settings', received: [...settings.keys()].join(', '), expected })
  }
  for (const name of settings.keys()) {
    const why = undeclarable?.get(name)
    if (why !== undefined) faults.push({ option: `settings.${name}`, received: 'a value', expected: `none: ${why}` })
  }
  if (asked.mode === 'session' && asked.holder !== undefined && asked.request.settings !== undefined) {
    const expected = 'none in a scope of mode session, whose leases share one session: declare them on the scope'
    faults.push({ option: 'settings', received: 'those of a request', expected })
  }
  refuseFaults(`What ${asked.label} declares`, faults)
}
