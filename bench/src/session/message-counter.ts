const QUERY = 'Q'.charCodeAt(0)
const SYNC = 'S'.charCodeAt(0)

/** Counts what a client asks PostgreSQL to answer: each Query and each Sync is one round trip. */
export class MessageCounter {
  /** Round trips so far. */
  count = 0
  #rest: Buffer = Buffer.alloc(0)
  #hasStarted = false

  take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      // The first message of a connection has no letter before its length.
      const letters = this.#hasStarted ? 1 : 0
      if (bytes.length < letters + 4) break
      const length = letters + bytes.readUInt32BE(letters)
      if (bytes.length < length) break
      if (this.#hasStarted && (bytes[0] === QUERY || bytes[0] === SYNC)) this.count += 1
      this.#hasStarted = true
      bytes = bytes.subarray(length)
    }
    this.#rest = bytes
  }
}
