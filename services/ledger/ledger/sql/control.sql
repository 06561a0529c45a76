-- name: booked
-- Up to where a service's decisions are booked in a lane. Locks: none.
select next_offset
from positions
where lane = $1 and topic = $2

-- name: control_accounts
-- The accounts that a service's open items add up to, by provider and fund, and some ($3) by supplier: debit less credit, in
-- fen. Locks: none.
select
    party as provider,
    account,
    case when account = any($3::text []) then counterpart else '' end as supplier,
    fund,
    sum(debit - credit) as fen
from buckets
where lane = $1 and book = 'OPS' and account = any($2::text [])
group by party, account, supplier, fund
having sum(debit - credit) <> 0

-- name: undelivered
-- Asked of the schema of a service that decides: decisions on their way to the log. Locks: none.
select coalesce(sum(decisions), 0)
from undelivered
where lane = $1

-- name: open_items
-- Asked of the schema of a service that decides: what it holds as owed and owing. Locks: none.
select
    provider,
    account,
    counterpart as supplier,
    fund,
    fen
from open_items
where lane = $1
