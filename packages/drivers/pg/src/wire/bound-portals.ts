interface BoundPortal {
  readonly text: string | undefined
  readonly values: readonly unknown[] | undefined
}

/** What an Execute runs: the portals of one connection, and what is bound to them. */
export class BoundPortals {
  /** The text of the unnamed statement. */
  #parsed: string | undefined
  /** What was bound to the unnamed portal, which is nearly always the one; cursors have names. */
  #unnamed: BoundPortal | undefined
  #named: Map<string, BoundPortal> | undefined

  /** A Parse of the unnamed statement. */
  parsed(text: string | undefined): void {
    this.#parsed = text
  }

  /** @param text of the named statement that is bound; undefined for the unnamed one. */
  bind(portal: string | undefined, text: string | undefined, values: readonly unknown[] | undefined): void {
    const bound = { text: text ?? this.#parsed, values }
    if (portal === undefined || portal === '') this.#unnamed = bound
    else (this.#named ??= new Map()).set(portal, bound)
  }

  /** They have ended with their transaction, and what was bound to them may be large. */
  forget(): void {
    this.#unnamed = undefined
    this.#named = undefined
  }

  boundTo(portal: string | undefined): BoundPortal | undefined {
    return portal === undefined || portal === '' ? this.#unnamed : this.#named?.get(portal)
  }
}
