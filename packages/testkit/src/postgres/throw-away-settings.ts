/** What a server that nobody will miss may save itself: no disk flush, no replication, no background work. */
export const throwAwaySettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  shared_buffers: '32MB',
  autovacuum: 'off',
  jit: 'off',
  // A test's failing statement is no news; the line "ready to accept connections" is of the level `log`.
  log_min_messages: 'log',
}
