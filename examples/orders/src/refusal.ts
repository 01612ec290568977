/** A request that is understood and not done, and why: answered as it stands. */
export class Refusal extends Error {
  readonly statusCode: number
  readonly code: string

  constructor(statusCode: number, code: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.statusCode = statusCode
    this.code = code
  }

  /** The answer. */
  get body(): { readonly statusCode: number; readonly code: string; readonly message: string } {
    const { statusCode, code, message } = this
    return { statusCode, code, message }
  }
}
