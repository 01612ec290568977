/** What wants to know that a signal has aborted. An object rather than a function: a closure would be made for every scope. */
export interface SignalFollower {
  signalAborted(): void
}

/**
 * Those that follow one signal. Node warns of a leak where more than ten listen to the same, and a signal of a service's
 * shutdown, or of a job, is given to all that runs meanwhile: so only this one listens.
 */
class Followers {
  readonly #signal: AbortSignal
  readonly #followers = new Set<SignalFollower>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this, { once: true })
  }

  add(follower: SignalFollower): void {
    this.#followers.add(follower)
  }

  /** Returns whether nobody follows any more, and nobody listens. */
  drop(follower: SignalFollower): boolean {
    this.#followers.delete(follower)
    if (this.#followers.size > 0) return false
    this.#signal.removeEventListener('abort', this)
    return true
  }

  handleEvent(): void {
    // Whoever leaves because another one was told is not told.
    for (const follower of this.#followers) follower.signalAborted()
  }
}

const followed = new WeakMap<AbortSignal, Followers>()

/** Tells `follower` when `signal`, which has not aborted yet, aborts. */
export function followSignal(signal: AbortSignal, follower: SignalFollower): void {
  let followers = followed.get(signal)
  if (followers === undefined) followed.set(signal, (followers = new Followers(signal)))
  followers.add(follower)
}

/** Tells it no more. Harmless when it does not follow. */
export function leaveSignal(signal: AbortSignal, follower: SignalFollower): void {
  if (followed.get(signal)?.drop(follower) === true) followed.delete(signal)
}
