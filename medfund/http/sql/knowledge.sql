-- name: known
-- What was said of some types, as a lane knows it, in the order of the log. Locks: none.
select
    type,
    body
from facts
where lane = $1 and type = any($2::text [])
order by topic, "offset"

-- name: today
-- The day that was opened last, in any lane. Locks: none.
select max(opened)
from days

-- name: names
-- What people know some providers by, as far as it was told. Locks: none.
select
    provider,
    name
from providers
where lane = any($1::smallint []) and provider = any($2::text []) and name is not null
