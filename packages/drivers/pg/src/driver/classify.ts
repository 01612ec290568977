import type { ErrorKind } from '@leasehold/core'
import { isFatal } from '../wire/is-fatal.js'

/** SQLSTATEs whose meaning is not that of their class, or whose class means nothing to a pool. */
const STATES: Readonly<Record<string, ErrorKind>> = {
  '25006': 'read-only',
  '53300': 'saturated',
  '3D000': 'denied',
  '57P03': 'transient',
  '08001': 'transient',
  '08004': 'transient',
}

const CLASSES: Readonly<Record<string, ErrorKind>> = { '28': 'denied', '08': 'fatal' }

/** Codes of Node's own: the host cannot be reached, or the socket broke. */
const CODES: Readonly<Record<string, ErrorKind>> = {
  ECONNREFUSED: 'transient',
  ETIMEDOUT: 'transient',
  EHOSTUNREACH: 'transient',
  EHOSTDOWN: 'transient',
  ENETUNREACH: 'transient',
  ENETDOWN: 'transient',
  ENOTFOUND: 'transient',
  EAI_AGAIN: 'transient',
  EADDRNOTAVAIL: 'transient',
  EMFILE: 'transient',
  ENFILE: 'transient',
  ENOENT: 'transient',
  EACCES: 'denied',
  ECONNRESET: 'fatal',
  ECONNABORTED: 'fatal',
  EPIPE: 'fatal',
  ERR_STREAM_DESTROYED: 'fatal',
  ERR_STREAM_WRITE_AFTER_END: 'fatal',
}

/** Certificates that do not fit, a password that was not given: nothing of it changes by trying again. */
const MISCONFIGURED =
  /^(?:SASL: |SASL\b|The server does not support SSL connections|self-signed certificate|unable to (?:get|verify)|Hostname\/IP does not match)/
/** PgBouncer refuses with a code that means "protocol violation", so that only its words tell. */
const FULL =
  /\b(?:too many (?:clients|connections)|no more connections allowed|max_client_conn|remaining connection slots)\b/i
/** pg's own errors of a lost connection have no code. */
const BROKEN = /^(?:Connection terminated|Client has encountered a connection error|Client was closed)/

/** What an error of pg, of the server or of the socket means for the connection and the pool. */
export function classify(error: unknown): ErrorKind {
  if (typeof error !== 'object' || error === null) return 'query'
  const { code, message, severity } = error as { code?: unknown; message?: unknown; severity?: string }
  if (typeof message === 'string' && FULL.test(message)) return 'saturated'
  if (typeof code === 'string') {
    const known = STATES[code] ?? CODES[code] ?? (code.length === 5 ? CLASSES[code.slice(0, 2)] : undefined)
    if (known !== undefined) return known
    if (isFatal({ code, severity })) return 'fatal'
  }
  if (typeof message !== 'string') return 'query'
  if (BROKEN.test(message)) return 'fatal'
  return MISCONFIGURED.test(message) ? 'denied' : 'query'
}
