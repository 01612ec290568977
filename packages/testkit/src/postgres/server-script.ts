/**
 * Runs one PostgreSQL for as long as its standard input stays open, and leaves nothing behind.
 *
 * A shell, because it must outlive us: the input is a pipe whose other end only our process has, and the kernel closes
 * that end however we die, by SIGKILL too. So we install no exit or signal handler, which could swallow what a test runner
 * wants of the signal.
 *
 * $1 is its folder, which it removes; $2 the binaries; the rest, arguments of the server.
 */
export const serverScript = `
exec 3<&0 </dev/null
folder=$1 native=$2
shift 2

"$native/bin/initdb" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 \\
  --encoding=UTF8 --locale=C --no-sync --no-instructions >initdb.log 2>&1 3<&- || cat initdb.log >&2
"$native/bin/postgres" -D data "$@" 3<&- &
server=$!

# Whoever read what we say may be gone, and a shell that writes to nobody dies before it has cleaned up.
exec 2>/dev/null

# SIGQUIT ends a server at once: there is nothing to save. Again and again, because it is lost on one that has just begun.
{ read -r _ <&3; while kill -QUIT "$server"; do sleep 0.05; done; } &
watcher=$!
exec 3<&-
wait "$server"
kill "$watcher"
cd / && rm -rf "$folder"
`
