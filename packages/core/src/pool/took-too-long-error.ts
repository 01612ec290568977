/** What goes on beside the leases has not come to its end within its bound. */
export class TookTooLongError extends Error {
  constructor(what: string) {
    super(`${what} took too long`)
    this.name = 'TookTooLongError'
  }
}
