-- name: prepayments
-- The prepayments that a batch of events can touch: those it names ($2, $3), those of its providers that matter still ($4),
-- and all that are open when a day is opened ($5) or the figures of a fund are told. Each by an index of its own.
-- Locks: none.
with touched as (
    select
        provider,
        ref
    from unnest($2::text [], $3::text []) as named (provider, ref)
    union distinct
    select
        prepayment.provider,
        prepayment.ref
    from unnest($4::text []) as named (provider)
    inner join prepayments as prepayment on prepayment.lane = $1 and named.provider = prepayment.provider
    where prepayment.is_open
    union distinct
    select
        provider,
        ref
    from prepayments
    where lane = $1 and is_open and $5::boolean
)

select prepayment.body
from touched
inner join prepayments as prepayment
    on prepayment.lane = $1 and touched.provider = prepayment.provider and touched.ref = prepayment.ref

-- name: save_prepayments
-- Prepayments that decisions changed. What was refused may be asked for again from another area. Locks: those rows; only
-- this lane writes them.
insert into prepayments (lane, provider, ref, area, fund, kind, year, status, is_open, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [], $7::text::smallint [],
    $8::text::text [], $9::text::boolean [], $10::text::jsonb []
) as changed
on conflict (lane, provider, ref) do update set
    area = excluded.area,
    status = excluded.status,
    is_open = excluded.is_open,
    body = excluded.body

-- name: tell_steps
-- What became of prepayments. Locks: none beyond the new rows.
insert into prepayment_steps (lane, provider, ref, number, what, day, fen, left_fen, about)
select
    $1,
    told.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::integer [], $5::text::text [], $6::text::date [],
    $7::text::bigint [], $8::text::bigint [], $9::text::text []
) as told
