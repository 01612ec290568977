/** Settings that no owner can declare, and why. */
export const UNDECLARABLE: ReadonlyMap<string, string> = new Map([
  ['session_authorization', 'it decides who may put it back; declare a role'],
  ['client_encoding', 'node-postgres reads and writes UTF-8'],
  ['transaction_isolation', 'it ends with the transaction; declare default_transaction_isolation'],
  ['transaction_read_only', 'it ends with the transaction; declare default_transaction_read_only'],
  ['transaction_deferrable', 'it ends with the transaction; declare default_transaction_deferrable'],
])
