import type { Site } from '../ports/owner.js'

/** One capture in this many, in adaptive mode. A capture costs microseconds, a lease a fraction of one. */
const ONE_IN = 128
/**
 * Samples are this far apart in the long run, and this much may be taken in advance: beyond a hundred thousand leases a
 * second one in 128 was a tenth of what a lease costs, and told nothing new. One takes some ten microseconds.
 */
const SAMPLE_PACE_MS = 4
const BURST_MS = 64
/** While connections are scarce, this many more may be taken between two wake-ups of the pool, which are a second apart. */
const SCARCE_SAMPLES = 16
/** Labels that have leaked are remembered, but not without end: a label made of user input must not fill the memory. */
const MOST_SUSPECTS = 1_000
/** Deep enough to come out of any ORM's own calls into the code that called it. */
const FRAMES = 16
/**
 * Enough for a sample: a facade's `query` has eight of its own, and adapters capture before their ORM calls itself on. Each
 * frame takes about a microsecond, for which all leases pay.
 */
const SAMPLED_FRAMES = 10

/** Folders whose frames are not the caller's own code: ours. */
const ownFolders = new Set<string>()

/**
 * Declares the file that calls as part of Leasehold, so that a call site names the user's line and not ours. To be
 * called once, when a package is loaded, with an error made there.
 */
export function markOwnFrames(error: Error): void {
  // Frames only: what the message says must not pass for a path.
  const frame =
    textOfStack(error)
      .split('\n')
      .find((line) => /^\s+at /.test(line)) ?? ''
  const file = /(?:^\s+at |\()(?:async )?(?:file:\/\/)?(\/[^()]*|[A-Za-z]:[\\/][^()]*):\d+:\d+\)?$/.exec(frame)?.[1]
  // Inside somebody's bundle our file is theirs as well: then nothing is hidden.
  const folder =
    file === undefined ? undefined : /^(.*[\\/](?:@leasehold|packages)[\\/].*[\\/](?:src|dist))[\\/]/.exec(file)?.[1]
  if (folder !== undefined) ownFolders.add(folder)
}

markOwnFrames(new Error('where core lies'))

/** Where something was asked for. Captured cheaply, and put into words only when somebody reads it. */
export class CallSite implements Site {
  readonly #stack: { stack?: string }

  /** @param below the function whose callers are wanted: it and what it called are left out. */
  constructor(below: (...args: never[]) => unknown, frames: number = FRAMES) {
    const limit = Error.stackTraceLimit
    // Not assigned: somebody may have frozen it.
    Reflect.set(Error, 'stackTraceLimit', frames)
    const stack: { stack?: string } = {}
    Error.captureStackTrace(stack, below)
    Reflect.set(Error, 'stackTraceLimit', limit)
    this.#stack = stack
  }

  get place(): string | undefined {
    return placeIn(textOfStack(this.#stack))
  }
}

/** A stack trace as text, its first line none; somebody's `Error.prepareStackTrace` may have made anything of it. */
function textOfStack(traced: { stack?: unknown }): string {
  try {
    const { stack } = traced
    if (typeof stack === 'string') return stack
    return Array.isArray(stack) ? ['', ...stack.map((frame) => `    at ${String(frame)}`)].join('\n') : ''
  } catch {
    return ''
  }
}

/** The innermost frame in a stack trace that is neither Node's, nor a package's, nor ours. */
export function placeIn(stack: string): string | undefined {
  const frames = stack.split('\n').slice(1)
  return frames.find((frame) => !isForeign(frame))?.trim()
}

function isForeign(frame: string): boolean {
  if (frame.includes('node_modules') || frame.includes('node:')) return true
  // A built-in's frame has no file; a function without a name has one.
  if (/[( ]<anonymous>\)?$/.test(frame)) return true
  // Our own tests lie beside our sources, and are callers like any other.
  for (const folder of ownFolders) if (frame.includes(folder) && !frame.includes('.test.')) return true
  return false
}

/** Decides which leases get to know where they were asked for. */
export class CallSites {
  readonly #mode: 'adaptive' | 'always' | 'off'
  readonly #now: () => number
  readonly #isScarce: () => boolean
  readonly #suspects = new Set<string>()
  #asked = 0
  #scarceSamples = SCARCE_SAMPLES
  /** When all samples so far would have been taken, at the pace that they may have. */
  #pacedUntil = Number.NEGATIVE_INFINITY

  /** @param isScarce whether so many connections are in use that somebody may soon have to name who holds them. */
  constructor(mode: 'adaptive' | 'always' | 'off', now: () => number, isScarce: () => boolean = () => false) {
    this.#mode = mode
    this.#now = now
    this.#isScarce = isScarce
  }

  /** A site, if this lease is to have one. */
  capture(label: string, below: (...args: never[]) => unknown): CallSite | undefined {
    if (this.#mode === 'off') return undefined
    if (this.#mode === 'always') return new CallSite(below)
    this.#asked += 1
    if (this.#suspects.size > 0 && this.#suspects.has(label)) return new CallSite(below)
    const isSample = this.#asked % ONE_IN === 0 ? this.#mayTakeSample() : this.#mayTakeScarce()
    return isSample ? new CallSite(below, SAMPLED_FRAMES) : undefined
  }

  /** The pool's wake-up has come. */
  refill(): void {
    this.#scarceSamples = SCARCE_SAMPLES
  }

  /** Counted, and not timed: to look at the clock for each lease of a busy pool would cost a tenth of the lease. */
  #mayTakeScarce(): boolean {
    if (this.#scarceSamples === 0 || !this.#isScarce()) return false
    this.#scarceSamples -= 1
    return true
  }

  #mayTakeSample(): boolean {
    const now = this.#now()
    if (this.#pacedUntil > now + BURST_MS) return false
    this.#pacedUntil = Math.max(this.#pacedUntil, now) + SAMPLE_PACE_MS
    return true
  }

  /** A lease of this label leaked or was overdue: from now on all of its leases get a site. */
  suspect(label: string): void {
    if (this.#suspects.size < MOST_SUSPECTS) this.#suspects.add(label)
  }
}
