-- name: recoveries
-- The recoveries that a batch of events can touch: those it names ($2, $3), those of its providers with something open
-- ($4), all that are open when a day is opened ($5), and those of settlements that a claim reverses ($6, $7). Each by an
-- index of its own, as with claims. Locks: none.
with touched as (
    select
        provider,
        ref
    from unnest($2::text [], $3::text []) as named (provider, ref)
    union distinct
    select
        recovery.provider,
        recovery.ref
    from unnest($4::text []) as named (provider)
    inner join recoveries as recovery on recovery.lane = $1 and named.provider = recovery.provider
    where recovery.is_open
    union distinct
    select
        provider,
        ref
    from recoveries
    where lane = $1 and is_open and $5::boolean
    union distinct
    select
        recovery.provider,
        recovery.ref
    from unnest($6::text [], $7::text []) as settlement (provider, ref)
    inner join recoveries as recovery
        on recovery.lane = $1 and settlement.provider = recovery.provider and settlement.ref = recovery.settlement_ref
)

select recovery.body
from touched
inner join recoveries as recovery
    on recovery.lane = $1 and touched.provider = recovery.provider and touched.ref = recovery.ref

-- name: save_recoveries
-- Recoveries that decisions changed. Locks: those rows; only this lane writes them.
insert into recoveries (lane, provider, ref, area, is_open, settlement_ref, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::boolean [], $6::text::text [], $7::text::jsonb []
) as changed
on conflict (lane, provider, ref) do update set is_open = excluded.is_open, body = excluded.body
