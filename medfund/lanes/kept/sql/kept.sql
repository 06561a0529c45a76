-- name: facts
-- What rules keep in memory, as it came, in the order of the log. Type by type, which `offset 0` sees to: one condition for
-- all looks at every fact that the lane ever kept. Locks: none.
select
    fact.type,
    fact.body
from unnest($2::text []) as wanted (type)
cross join lateral (
    select
        type,
        topic,
        "offset",
        body
    from facts
    where lane = $1 and facts.type = wanted.type
    offset 0
) as fact
order by fact.topic, fact."offset"

-- name: keep
-- Facts of a batch that are kept as they came. Locks: none beyond the new rows.
insert into facts (lane, topic, "offset", type, provider, body)
select
    $1,
    kept.*
from unnest(
    $2::text::text [], $3::text::bigint [], $4::text::text [], $5::text::text [], $6::text::jsonb []
) as kept

-- name: providers
-- Of a lane, read when it is claimed: registered providers. Locks: none.
select
    provider,
    area,
    since,
    origin,
    first
from providers
where lane = $1

-- name: register
-- The last word on a provider; what is not said again of its name and account stays. Locks: its row; only this lane
-- writes it.
insert into providers as known (lane, provider, area, since, origin, first, name, account_ref, account_ends)
select
    $1,
    registered.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::date [], $5::text::text [], $6::text::date [],
    $7::text::text [], $8::text::text [], $9::text::text []
) as registered
on conflict (lane, provider) do update set
    area = excluded.area,
    since = excluded.since,
    origin = excluded.origin,
    first = excluded.first,
    name = coalesce(excluded.name, known.name),
    account_ref = coalesce(excluded.account_ref, known.account_ref),
    account_ends = coalesce(excluded.account_ends, known.account_ends)

-- name: today
-- The day that was opened last. Locks: none.
select opened
from days
where lane = $1

-- name: open_day
-- Locks: the lane's row; only this lane writes it.
insert into days (lane, opened) values ($1, $2)
on conflict (lane) do update set opened = excluded.opened
