import type { NewAccount, NewOrder, NewTransfer } from './input.js'

export interface Account {
  readonly id: number
  readonly owner: string
  readonly balanceCents: number
}

export interface Order {
  readonly id: number
  readonly accountId: number
  readonly item: string
  readonly amountCents: number
  readonly orderedAt: Date
}

export interface Transfer extends NewTransfer {
  readonly id: number
}

/** What a service keeps in the database, whichever ORM does it. What cannot be done is a `Refusal`. */
export interface Store {
  openAccount(account: NewAccount): Promise<Account>
  account(id: number): Promise<Account>
  placeOrder(order: NewOrder): Promise<Order>
  order(id: number): Promise<Order>
  /** The latest twenty of an account. */
  ordersOf(accountId: number): Promise<readonly Order[]>
  /** All of them: as long as it takes, and in constant memory. */
  allOrders(): AsyncIterable<Order>
  /**
   * Moves money from one account to another: all of it, or nothing.
   *
   * @param beforeCommit is called when all is done but the commit; if it throws, nothing was moved.
   */
  transfer(order: NewTransfer, beforeCommit: () => void): Promise<Transfer>
}
