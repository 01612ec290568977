/** How a lease came to its end. */
export type LeaseEnd =
  | 'it was released'
  | 'it was discarded'
  | 'its scope closed'
  | 'the pool closed'
  | 'the lease it was borrowed from ended'
  | 'its transaction ended'
  | 'it was held for too long'
  | 'it was forgotten'
  | 'its transaction was idle for too long'
