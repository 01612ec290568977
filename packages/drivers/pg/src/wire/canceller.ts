/** The first pause before a cancel is repeated; each is twice as long as the last. */
const FIRST_PAUSE_MS = 20

/**
 * Sends cancel requests, one at a time, for as long as it is asked to. One is not always enough: a cancel that comes
 * before the server has begun with the statement is lost without a word, and in a pipeline each ends one statement.
 */
export class Canceller {
  readonly #send: () => Promise<void>
  readonly #lookAgain: () => void
  #state: 'ready' | 'under way' | 'pausing' = 'ready'
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined
  #failure: { readonly cause: unknown } | undefined
  #hasSent = false
  #finished: Promise<void> = Promise.resolve()

  /** @param lookAgain is called when there may be something new to decide. */
  constructor(send: () => Promise<void>, lookAgain: () => void) {
    this.#send = send
    this.#lookAgain = lookAgain
  }

  get hasSent(): boolean {
    return this.#hasSent
  }

  /** Resolves when no request is under way. */
  get finished(): Promise<void> {
    return this.#finished
  }

  /** Sends a request, unless one is under way or has only just been. */
  cancel(): void {
    if (this.#state !== 'ready') return
    this.#state = 'under way'
    this.#hasSent = true
    this.#finished = this.#send().then(
      () => this.#pause(),
      (cause: unknown) => {
        this.#failure = { cause }
        this.#lookAgain()
      },
    )
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.cause as Error
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #pause(): void {
    this.#state = 'pausing'
    this.#timer = setTimeout(() => {
      this.#state = 'ready'
      this.#lookAgain()
    }, this.#pauseMs)
    this.#pauseMs *= 2
  }
}
