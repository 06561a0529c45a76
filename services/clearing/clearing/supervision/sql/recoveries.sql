-- name: recoveries
-- The recoveries that a batch of events can touch: those it names ($2), those of its providers with something open ($3),
-- all that are open when a day is opened ($4), and those of settlements that a claim reverses ($5). Each by an index of its
-- own, as with claims. Locks: none.
with touched as (
    select unnest($2::text []) as ref
    union distinct
    select recovery.ref
    from unnest($3::text []) as named (provider)
    inner join recoveries as recovery on recovery.lane = $1 and named.provider = recovery.provider
    where recovery.is_open
    union distinct
    select ref
    from recoveries
    where lane = $1 and is_open and $4::boolean
    union distinct
    select ref
    from recoveries
    where lane = $1 and settlement_ref = any($5::text [])
)

select recovery.body
from touched
inner join recoveries as recovery on recovery.lane = $1 and touched.ref = recovery.ref

-- name: save_recoveries
-- Recoveries that decisions changed. Locks: those rows; only this lane writes them.
insert into recoveries (lane, ref, provider, is_open, settlement_ref, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::boolean [], $5::text::text [], $6::text::jsonb []
) as changed
on conflict (lane, ref) do update set is_open = excluded.is_open, body = excluded.body
