-- name: known
-- Of a lane, read when it is claimed: registered providers. Locks: none.
select provider, area
from providers
where lane = $1

-- name: facts
-- What rules keep in memory, as it came, in the order of the log. Locks: none.
select type, body
from facts
where lane = $1 and type <> 'audit.stage.completed.v1'
order by topic, "offset"

-- name: register
-- The last word on a provider. Locks: its row; only this lane writes it.
insert into providers (lane, provider, area)
select
    $1,
    registered.provider,
    registered.area
from unnest($2::text::text [], $3::text::text []) as registered (provider, area)
on conflict (lane, provider) do update set area = excluded.area

-- name: keep
-- Facts of a batch that are kept as they came. Locks: none beyond the new rows.
insert into facts (lane, topic, "offset", type, provider, body)
select
    $1,
    kept.*
from unnest(
    $2::text::text [], $3::text::bigint [], $4::text::text [], $5::text::text [], $6::text::jsonb []
) as kept
