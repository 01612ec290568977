/**
 * Makes the data folder of one PostgreSQL, says "made", and stays for as long as its standard input is open: then it ends
 * the server, if one runs, and removes the folder. See server-script.ts for why this is a shell.
 *
 * $1 is the folder, $2 the binaries, $3 whether there is a data folder already (`copied`) or one is to be made (`empty`).
 */
export const keeperScript = `
exec 3<&0 </dev/null
folder=$1 native=$2

if [ "$3" = empty ]; then
  "$native/bin/initdb" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 \\
    --encoding=UTF8 --locale=C --no-sync --no-instructions >initdb.log 2>&1 3<&- || { cat initdb.log; exit 1; }
fi
echo made

# Whoever read what we say may be gone, and a shell that writes to nobody dies before it has cleaned up.
exec >/dev/null 2>&1
read -r _ <&3
"$native/bin/pg_ctl" --pgdata=data --mode=immediate stop
cd / && rm -rf "$folder"
`
