-- name: prepayments
-- The prepayments that a batch of events can touch: those it names ($2), those of its providers that matter still ($3), and
-- all that are open when a day is opened ($4) or the figures of a fund are told. Each by an index of its own. Locks: none.
with touched as (
    select unnest($2::text []) as ref
    union distinct
    select prepayment.ref
    from unnest($3::text []) as named (provider)
    inner join prepayments as prepayment on prepayment.lane = $1 and named.provider = prepayment.provider
    where prepayment.is_open
    union distinct
    select ref
    from prepayments
    where lane = $1 and is_open and $4::boolean
)

select prepayment.body
from touched
inner join prepayments as prepayment on prepayment.lane = $1 and touched.ref = prepayment.ref

-- name: save_prepayments
-- Prepayments that decisions changed. Locks: those rows; only this lane writes them.
insert into prepayments (lane, ref, provider, area, fund, kind, year, status, is_open, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [], $7::text::smallint [],
    $8::text::text [], $9::text::boolean [], $10::text::jsonb []
) as changed
on conflict (lane, ref) do update set
    status = excluded.status,
    is_open = excluded.is_open,
    body = excluded.body

-- name: tell_steps
-- What became of prepayments. Locks: none beyond the new rows.
insert into prepayment_steps (lane, ref, number, what, day, fen, left_fen, about)
select
    $1,
    told.*
from unnest(
    $2::text::text [], $3::text::integer [], $4::text::text [], $5::text::date [], $6::text::bigint [],
    $7::text::bigint [], $8::text::text []
) as told
