-- name: mandates
-- What was said of people, in its order, as any lane has it. Null narrows nothing. Locks: none.
select body
from facts
where
    lane = $1
    and type = 'staff.mandated.v1'
    and ($2::text [] is null or body ->> 'area' = any($2))
order by topic, "offset"
