/** What the carrier asks of a namespace. What `createNamespace` and `getNamespace` of cls-hooked return is one. */
export interface ClsHookedNamespace {
  /** The context of the code that runs; null outside all. */
  readonly active: unknown
  /** A new context, which sees what the active one holds. */
  createContext(): unknown
  enter(context: unknown): void
  exit(context: unknown): void
}
