-- name: openings
-- Those that are named ($2, $3). Locks: none.
select opening.body
from unnest($2::text [], $3::text []) as named (provider, ref)
inner join openings as opening
    on opening.lane = $1 and named.provider = opening.provider and named.ref = opening.ref

-- name: keep_openings
-- Those that were taken over, once. Locks: none beyond the new rows.
insert into openings (lane, provider, ref, area, account, body)
select
    $1,
    kept.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::jsonb []) as kept
on conflict (lane, provider, ref) do nothing
