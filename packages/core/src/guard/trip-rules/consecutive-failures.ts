import type { Sighting, TripRule } from './trip-rule.js'

/** So many failures without a connection opened between them. */
export class ConsecutiveFailures implements TripRule {
  readonly #most: number
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  record(sighting: Sighting): void {
    this.#count = sighting === 'connected' ? 0 : this.#count + 1
  }

  verdict(): string | undefined {
    return this.#count >= this.#most ? `${this.#count} attempts in a row failed` : undefined
  }

  reset(): void {
    this.#count = 0
  }
}
