-- name: create_table
-- Where applied migrations are remembered. Safe to run at every start.
create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)

-- name: lock_table
-- Two migrations at once wait for each other. Locks: the whole table, until the migration's commit.
lock table schema_migrations in exclusive mode

-- name: checksum_of
-- What was applied under this name, if anything. Locks: none.
select checksum from schema_migrations where name = $1

-- name: remember
-- In the transaction of the migration itself. Locks: none beyond the new row.
insert into schema_migrations (name, checksum) values ($1, $2)
