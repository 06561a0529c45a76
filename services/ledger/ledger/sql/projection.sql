-- name: providers
-- The providers registered in a lane, read when the lane is claimed. Locks: none.
select provider, area
from providers
where lane = $1

-- name: register
-- The last word on a provider. Locks: its row; only this lane writes it.
insert into providers (lane, provider, area, registered_at)
select
    $1,
    registered.provider,
    registered.area,
    registered.registered_at
from unnest($2::text [], $3::text [], $4::bigint []) as registered (provider, area, registered_at)
on conflict (lane, provider) do update set area = excluded.area, registered_at = excluded.registered_at

-- name: book
-- The lines of a batch, and what they add to each bucket (`$22` on, at most once each, keys in sorted order). Arrays,
-- because COPY cannot run under row security. Locks: the buckets' rows; only this lane writes them.
with booked as (
    insert into journal
    select
        $1,
        line.*
    from unnest(
        $2::text [], $3::bigint [], $4::smallint [], $5::bigint [], $6::integer [], $7::text [], $8::text [],
        $9::text [], $10::text [], $11::text [], $12::text [], $13::bigint [], $14::text [], $15::text [],
        $16::text [], $17::text [], $18::smallint [], $19::date [], $20::date [], $21::date []
    ) as line
)

insert into buckets as bucket (
    lane, party, account, book, fund, area, counterpart, value_date, recorded_date, debit, credit
)
select
    $1,
    added.*
from unnest(
    $22::text [], $23::text [], $24::text [], $25::text [], $26::text [], $27::text [], $28::date [], $29::date [],
    $30::bigint [], $31::bigint []
) as added
on conflict (lane, party, account, book, fund, area, counterpart, value_date, recorded_date)
do update set debit = bucket.debit + excluded.debit, credit = bucket.credit + excluded.credit
