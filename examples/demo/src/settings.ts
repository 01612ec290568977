/** How much the demo does. The process of the services and that of their clients both read it here. */
export const settings = {
  /** How long there is load, where `--seconds` says nothing else. */
  seconds: 10,
  /** Clients of each service that send ordinary requests, one after the other. */
  clientsOfEach: 4,
  /** Connections that all services together may open. */
  maxConnections: 10,
  /** A lease held for longer is reported as overdue. Seconds, in a real service. */
  leakAfterMs: 500,
  accounts: 200,
  /** What each account has to begin with. */
  balanceCents: 100_000,
  orders: 20_000,
} as const
