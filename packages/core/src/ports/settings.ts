/** Session state that an owner declares, by name: `role`, `search_path`, `app.tenant_id`, … */
export type Settings = Readonly<Record<string, string | number | boolean>>

/** What must change on a session so that it carries just what its owner declared. */
export interface SettingsDifference {
  readonly set: ReadonlyArray<readonly [name: string, value: string]>
  /** Names that an earlier owner declared and this one did not: back to what the session began with. */
  readonly clear: readonly string[]
  /** What the session carries already and its owner declares too: nothing to do, but what is set beside it may depend on it. */
  readonly keep: ReadonlyArray<readonly [name: string, value: string]>
}
