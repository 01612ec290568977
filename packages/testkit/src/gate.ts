/** Something that happens when a test says so: well, badly, or never. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>
  #open: (value: Value) => void = () => {}
  #fail: (error: unknown) => void = () => {}
  #isClosed = true

  constructor() {
    this.promise = new Promise<Value>((resolve, reject) => {
      this.#open = resolve
      this.#fail = reject
    })
    // A gate that fails before anybody stands at it must not end the test run.
    this.promise.catch(() => {})
  }

  /** Whether whoever stands at it still waits. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  open(value: Value): void {
    this.#isClosed = false
    this.#open(value)
  }

  fail(error: unknown): void {
    this.#isClosed = false
    this.#fail(error)
  }
}
