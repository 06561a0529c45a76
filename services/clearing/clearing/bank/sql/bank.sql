-- name: know
-- Which accounts the register has, for whoever makes a run. Locks: the one row, where they are others than before.
insert into bank_register (own) values ($1::jsonb)
on conflict (is_one) do update set own = excluded.own where bank_register.own <> excluded.own

-- name: forget_runs
-- Of the runs that are to be sent, those whose file has gone out, or is not needed. Locks: those rows.
delete from errands
where
    what = 'RUN'
    and exists (
        select from bank_files
        where direction = 'OUT' and message_id = errands.ref and outcome <> 'HELD_UP'
    )

-- name: runs_to_send
-- Runs that every lane has decided, of those whose file is not known to have gone out. Locks: none.
select
    decided.ref as run_ref,
    run.body
from (
    select ref
    from errands
    where what = 'RUN'
    group by ref
    having count(*) = $1
) as decided
cross join lateral (
    select min(body::text) as body
    from facts
    where type = 'payment.run.opened.v1' and name = decided.ref
) as run
order by decided.ref

-- name: total_of_run
-- How much of a run was sent. Locks: none.
select
    count(*) as payments,
    coalesce(sum(fen), 0) as fen
from payments
where run_ref = $1

-- name: of_run
-- What of a run was sent, in the run's order. Locks: none.
select
    payment_ref,
    end_to_end_id,
    fen,
    body ->> 'payable_ref' as payable_ref,
    body ->> 'account' as account
from payments
where run_ref = $1
order by due, payment_ref, provider

-- name: sent
-- The payments that lines of the bank name. Locks: none.
select
    end_to_end_id,
    payment_ref,
    provider,
    area,
    fund,
    fen
from payments
where end_to_end_id = any($1::text [])

-- name: answered
-- The payments of a run, and those that are named, whatever became of them. Locks: none.
select
    end_to_end_id,
    payment_ref,
    provider,
    area,
    fund,
    fen,
    status
from payments
where run_ref = $1 or end_to_end_id = any($2::text [])

-- name: accepted_before
-- When the bank accepted a payment file, the first time. Locks: none.
select min(at)
from bank_files
where direction = 'IN' and kind = 'Report' and detail = $1

-- name: sent_by_runs
-- What of some runs the bank has not rejected. Locks: none.
select
    run_ref,
    end_to_end_id,
    payment_ref,
    provider,
    area,
    fund,
    fen
from payments
where run_ref = any($1::text []) and status in ('SENT', 'SETTLED')

-- name: requests
-- The plans of an area's requests to the treasury. Locks: none.
select
    body ->> 'request_ref' as request_ref,
    body ->> 'plan_ref' as plan_ref
from facts
where
    type = 'treasury.funds.requested.v1'
    and body ->> 'area' = $1
    and name = any($2::text [])

-- name: repayable
-- What providers may pay back ($3: as what) in cash to a fund of an area, that lines of the bank can mean: by its name alone
-- ($4), or by provider and name ($5, $6). Locks: none.
select
    placed_as,
    ref,
    dimensions
from repayable
where
    area = $1
    and (fund is null or fund = $2)
    and placed_as = any($3::text [])
    and ref = any($4::text [] || $6::text [])
    and (ref = any($4::text []) or (provider, ref) in (select * from unnest($5::text [], $6::text [])))

-- name: repayable_of
-- What some providers may pay back in cash, by its names. Locks: none.
select
    provider,
    ref,
    dimensions
from repayable
where ref = any($2::text []) and (provider, ref) in (select * from unnest($1::text [], $2::text []))

-- name: booked
-- What the books have under the bank's own numbers, in one account, by booking day and direction. By the index, number for
-- number: a plan for any numbers would go through all that ever moved. Locks: none.
select
    move.bank_txn,
    move.booked_on,
    move.direction,
    sum(move.fen) as fen
from (select distinct bank_txn from unnest($4::text []) as named (bank_txn)) as line
inner join moves as move on move.area = $1 and move.fund = $2 and move.bank_account = $3 and line.bank_txn = move.bank_txn
group by move.bank_txn, move.booked_on, move.direction

-- name: has_lines_by_statement
-- Whether the books have lines, of some booking days of one account, that are known by their place in a statement ($5
-- begins their names). By the index of days. Locks: none.
select exists (
    select from moves
    where area = $1 and fund = $2 and bank_account = $3 and booked_on = any($4::date []) and starts_with(bank_txn, $5)
)

-- name: told_otherwise
-- A line that the books have in one account under a name that a file does not use, of the day, direction and amount of one
-- of the file's lines, where one of the two is known by its place in a statement ($8 begins such names). What leaves the
-- fiscal account is booked with the other account's line, under its name. By the index of days. Locks: none.
with
line as (
    select * from unnest($4::text::text [], $5::text::date [], $6::text::bigint [], $7::text::boolean [])
        as told (bank_txn, booked_on, fen, by_statement)
),
booked as (
    select
        bank_txn,
        booked_on,
        direction,
        sum(fen)::bigint as fen
    from moves
    where
        area = $1 and fund = $2 and bank_account = $3 and bank_txn <> 'opening'
        and booked_on in (select line.booked_on from line)
        and (bank_account, direction) <> ('1003', 'OUT')
    group by bank_txn, booked_on, direction
)
select booked.*
from booked
inner join line
    on booked.booked_on = line.booked_on and booked.fen = line.fen
    and (line.by_statement or starts_with(booked.bank_txn, $8))
where not exists (
    select from line as same where same.bank_txn = booked.bank_txn and same.booked_on = booked.booked_on
)
order by booked.booked_on, booked.bank_txn
limit 1

-- name: file
-- Whether a file was taken in or went out before. Locks: none.
select outcome
from bank_files
where name = $1 and sha256 = $2 and direction = $3

-- name: opened
-- The last day that every lane has opened. Locks: none.
select min(opened) from days

-- name: keep_file
-- A file that was dealt with. Locks: none beyond the new row.
insert into bank_files (name, sha256, direction, kind, message_id, area, entries, fen, at, outcome, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict do nothing

-- name: keep_lines
-- The lines of a statement; the same statement again says nothing new. Locks: none beyond the new rows.
insert into bank_lines (area, fund, bank_account, day, bank_txn, value_date, fen, ref, booked_on, direction)
select
    $1,
    $2,
    $3,
    $4,
    line.*
from unnest(
    $5::text::text [], $6::text::date [], $7::text::bigint [], $8::text::text [], $9::text::date [], $10::text::text []
) as line
on conflict do nothing

-- name: keep_statement
-- What the bank's day began and ended with; a later statement of a day takes the place of an earlier one. Locks: its row.
insert into bank_statements (area, fund, bank_account, day, statement_ref, opening, closing, lines)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (area, fund, bank_account, day) do update set
    statement_ref = excluded.statement_ref,
    opening = excluded.opening,
    closing = excluded.closing,
    lines = excluded.lines

-- name: cash
-- What the books have in an account at the end of a day, by the bank's booking days: what is there now less what moved
-- since. Locks: none.
select
    coalesce((
        select sum(fen) from cash
        where area = $1 and fund = $2 and bank_account = $3
    ), 0) - coalesce((
        select sum(fen) from moves
        where area = $1 and fund = $2 and bank_account = $3 and booked_on > $4
    ), 0)

-- name: placed
-- What was in suspense and turned out to be something of a provider: its payment, its return, its recovery, its
-- prepayment; and what left and was taken back by an item of another lane. As far as nobody was told. Locks: none.
select
    suspense.lane,
    suspense.body
from errands
inner join suspense on errands.lane = suspense.lane and errands.ref = suspense.item_ref
where errands.what = 'ITEM'

-- name: forget_items
-- Items of which the lanes have been told. Locks: those rows.
delete from errands
where what = 'ITEM' and (lane, ref) in (select * from unnest($1::smallint [], $2::text []))

-- name: known
-- What was accepted under some identities. Locks: none.
select
    identity,
    digest
from identities
where lane = any($1::smallint []) and identity = any($2::bytea [])

-- name: refusal
-- Why one of some events was refused, the last time. Locks: none.
select
    reason,
    detail
from quarantine
where lane = $1 and identity = any($2::bytea [])
order by "offset" desc
limit 1

-- name: reached
-- Up to where each lane has taken a topic. Locks: none.
select
    lane,
    next_offset
from positions
where topic = $1 and lane = any($2::smallint [])

-- name: providers
-- The areas of providers. Locks: none.
select
    provider,
    area
from providers
where provider = any($1::text [])
