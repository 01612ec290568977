import { settings } from './settings.js'

/** A whole number from 1 to `last`. */
export function anyUpTo(last: number): number {
  return 1 + Math.floor(Math.random() * last)
}

export function anyAccount(): number {
  return anyUpTo(settings.accounts)
}

/** The body of a transfer between two accounts. */
export function anyTransfer(amountCents: number): object {
  const payerId = anyAccount()
  return { payerId, payeeId: (payerId % settings.accounts) + 1, amountCents }
}
