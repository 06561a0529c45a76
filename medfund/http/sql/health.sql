-- name: lanes
-- Who works each lane now, and why a stopped one stopped. Locks: none.
select
    lane,
    owner,
    stopped_reason,
    coalesce(leased_until > now() and stopped_reason is null, false) as worked
from lanes
order by lane

-- name: positions
-- How far every lane has booked every topic. Locks: none.
select
    lane,
    topic,
    next_offset
from positions
