-- name: providers
-- The providers registered in a lane, read when the lane is claimed. Locks: none.
select provider, area
from providers
where lane = $1

-- name: register
-- The last word on a provider; a name that is not said again stays. Locks: its row; only this lane writes it.
insert into providers as known (lane, provider, area, registered_at, name)
select
    $1,
    registered.*
from unnest($2::text::text [], $3::text::text [], $4::text::bigint [], $5::text::text []) as registered
on conflict (lane, provider) do update set
    area = excluded.area,
    registered_at = excluded.registered_at,
    name = coalesce(excluded.name, known.name)

-- name: keep_statements
-- What the bank says, once for each account and day, in sorted order; a later statement of a day replaces an earlier one. An
-- account of which nothing is booked is known from here on. Locks: its rows; only this lane writes them.
with account as (
    insert into cash (lane, area, fund, account, fen)
    select distinct
        $1::smallint,
        told.area,
        told.fund,
        told.account,
        0
    from unnest($2::text::text [], $3::text::text [], $4::text::text []) as told (area, fund, account)
    on conflict (lane, area, fund, account) do nothing
)

insert into statements as kept (lane, area, fund, bank_account, day, closing, statement_ref, imported_at)
select
    $1,
    told.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::bigint [],
    $7::text::text [], $8::text::bigint []
) as told
on conflict (lane, area, fund, bank_account, day) do update
set closing = excluded.closing, statement_ref = excluded.statement_ref, imported_at = excluded.imported_at
where kept.imported_at < excluded.imported_at

-- name: keep_shifts
-- What the bank booked on another day than its value date, keys in sorted order. Locks: the rows; only this lane writes
-- them.
insert into shifts as kept (lane, area, fund, bank_account, value_date, booked_on, fen)
select
    $1,
    told.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::date [], $7::text::numeric []
) as told
on conflict (lane, area, fund, bank_account, value_date, booked_on) do update set fen = kept.fen + excluded.fen

-- name: add_cash
-- What is in bank accounts, in suspense and in what stands for them, keys in sorted order. Locks: the rows; only this lane
-- writes them.
insert into cash as kept (lane, area, fund, account, fen)
select
    $1,
    added.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::numeric []) as added
on conflict (lane, area, fund, account) do update set fen = kept.fen + excluded.fen

-- name: book
-- The lines of a batch, and what they add to each bucket (`$23` on, at most once each, keys in sorted order). Arrays,
-- because COPY cannot run under row security; as texts, because that is cheaper (`medfund.postgres.arrays`).
-- Locks: the buckets' rows; only this lane writes them.
with booked as (
    insert into journal
    select
        $1,
        line.*
    from unnest(
        $2::text::text [], $3::text::bigint [], $4::text::smallint [], $5::text::bigint [], $6::text::integer [],
        $7::text::text [], $8::text::text [], $9::text::text [], $10::text::text [], $11::text::text [],
        $12::text::text [], $13::text::bigint [], $14::text::text [], $15::text::text [], $16::text::text [],
        $17::text::text [], $18::text::smallint [], $19::text::date [], $20::text::date [], $21::text::date [],
        $22::text::text []
    ) as line
)

insert into buckets as bucket (
    lane, party, account, book, fund, area, counterpart, value_date, recorded_date, debit, credit
)
select
    $1,
    added.*
from unnest(
    $23::text::text [], $24::text::text [], $25::text::text [], $26::text::text [], $27::text::text [],
    $28::text::text [], $29::text::date [], $30::text::date [], $31::text::numeric [], $32::text::numeric []
) as added
on conflict (lane, party, account, book, fund, area, counterpart, value_date, recorded_date)
do update set debit = bucket.debit + excluded.debit, credit = bucket.credit + excluded.credit
