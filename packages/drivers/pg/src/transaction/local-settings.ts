import { isLocalEffect } from '../sql/is-local-effect.js'
import type { ReadStatement } from '../sql/statement-reading.js'
import { withBoundName } from '../sql/with-bound-name.js'

/** Sends a statement, in turn. */
export type Send = (text: string, values?: readonly unknown[]) => Promise<{ readonly rows: readonly unknown[] }>

/** What a setting was before it was set; undefined until the server has told. */
interface Former {
  value: string | undefined
  readonly told: Promise<void>
}

/**
 * What settings were before `SET LOCAL` changed them inside a savepoint. The server forgets such a change when the savepoint
 * is rolled back, but not when it is released: the transaction around it would run on as whoever the inner one was.
 */
export class LocalSettings {
  readonly #bySavepoint = new Map<string, Map<string, Former>>()

  /** To be called before the statement is sent that changes them: asks what they are. */
  remember(savepoint: string, names: readonly string[], send: Send): void {
    let former = this.#bySavepoint.get(savepoint)
    if (former === undefined) this.#bySavepoint.set(savepoint, (former = new Map<string, Former>()))
    for (const name of names) if (!former.has(name)) former.set(name, ask(name, send))
  }

  /** Sends what makes the settings as they were, to go before the savepoint is released. Returns nothing when there are none. */
  restore(savepoint: string, send: Send): Promise<void> | undefined {
    const former = this.#bySavepoint.get(savepoint)
    this.#bySavepoint.delete(savepoint)
    if (former === undefined) return undefined
    const untold = [...former.values()].filter(({ value }) => value === undefined)
    if (untold.length > 0) return Promise.all(untold.map(({ told }) => told)).then(() => sendAll(former, send))
    sendAll(former, send)
    return undefined
  }

  /** The server has undone all since the savepoint. */
  forget(savepoint: string): void {
    this.#bySavepoint.delete(savepoint)
  }

  /** Another transaction begins. */
  clear(): void {
    this.#bySavepoint.clear()
  }
}

/** The settings that a statement changes for its transaction only. */
export function localNames({ effects }: ReadStatement, values: readonly unknown[] | undefined): readonly string[] {
  const names = effects
    .filter((effect) => (effect.kind === 'setting' || effect.kind === 'role') && isLocalEffect(effect, values))
    .map((effect) => withBoundName(effect, values)?.name)
  return names.filter((name) => name !== undefined)
}

function ask(name: string, send: Send): Former {
  const former: { value: string | undefined; told: Promise<void> } = { value: undefined, told: Promise.resolve() }
  former.told = send('SELECT current_setting($1, true) AS value', [name]).then(
    ({ rows }) => {
      // A custom setting that nobody has set is empty after it was set, too: the server cannot unset it.
      former.value = (rows[0] as { value: string | null } | undefined)?.value ?? ''
    },
    // The transaction has failed: then the change does not come to pass either.
    () => {},
  )
  return former
}

function sendAll(former: ReadonlyMap<string, Former>, send: Send): void {
  for (const [name, { value }] of former) {
    if (value === undefined) continue
    // Where it fails, the transaction has failed, and the release that follows tells.
    send('SELECT set_config($1, $2, true)', [name, value]).catch(() => {})
  }
}
