-- name: recoveries
-- The recoveries that a batch of events can touch: those it names ($2), those of its providers with something open ($3),
-- all that are open when a day is opened ($4), and those of settlements that a claim reverses ($5). Locks: none.
select body
from recoveries
where
    lane = $1
    and (
        ref = any($2::text [])
        or (is_open and (provider = any($3::text []) or $4::boolean))
        or settlement_ref = any($5::text [])
    )

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
