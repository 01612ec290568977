/** How much the demo does. The process of the service and that of its clients both read it here. */
export const settings = {
  /** How long there is load. */
  seconds: 6,
  /** Clients that send ordinary requests, one after the other. */
  clients: 32,
  /** Connections that the service may open. */
  maxConnections: 10,
  /** A lease held for longer is reported as overdue. Seconds, in a real service. */
  leakAfterMs: 500,
  accounts: 200,
  /** What each account has to begin with. */
  balanceCents: 100_000,
  orders: 20_000,
} as const
