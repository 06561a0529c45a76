-- name: accepted
-- Where an event was accepted, in whichever lane: one index probe for each. Locks: none.
select
    lane,
    topic,
    "offset"
from identities
where lane = any($1::smallint []) and identity = $2

-- name: repeats
-- Its further deliveries, the first few of them and how many there are. Locks: none.
select
    lane,
    topic,
    "offset",
    count(*) over () as deliveries
from repeats
where lane = any($1::smallint []) and identity = $2
order by lane, topic, "offset"
limit $3::int

-- name: refused
-- Its refusals; row-level security leaves those that the caller may see. Locks: none.
select
    lane,
    topic,
    "offset",
    appended_at,
    reason,
    detail,
    count(*) over () as deliveries
from quarantine
where
    lane = any($1::smallint [])
    and identity = $2
    and (
        $4::text [] is null
        or coalesce(area, '') = any($4)
        or party = any($5)
        or party in (select provider from providers where area = any($4))
    )
    and ($5::text [] is null or party = any($5))
    and ($6::text [] is null or source = any($6))
order by appended_at desc, lane, topic, "offset"
limit $3::int
