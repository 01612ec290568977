/** Session state that an owner declares, by the setting's name; null is its default. */
export type Settings = Readonly<Record<string, string | number | boolean | null>>
