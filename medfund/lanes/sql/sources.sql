-- name: heard
-- What a lane has heard of who speaks, in the order of its log. Locks: none.
select
    type,
    appended_at,
    event
from sources
where lane = $1
order by "offset"

-- name: hear
-- Registrations of a batch. Locks: none beyond the new rows.
insert into sources (lane, "offset", appended_at, type, event)
select
    $1,
    heard.place,
    heard.appended_at,
    heard.type,
    heard.event
from unnest($2::bigint [], $3::timestamptz [], $4::text [], $5::text []::jsonb [])
    as heard (place, appended_at, type, event)

-- name: registered
-- What some lanes have heard of some sources. Locks: none.
select
    lane,
    type,
    appended_at,
    event
from sources
where lane = any($1::smallint []) and (type = 'sources.opened.v1' or event ->> 'source' = any($2::text []))
order by lane, "offset"
