-- name: positions
-- How far the lanes have booked, in the same snapshot as the rows of an answer. Locks: none.
select
    lane,
    topic,
    next_offset
from positions
where lane = any($1::smallint [])
order by lane, topic

-- name: next_offset
-- How far one topic of one lane is booked, for a reader that waits. Locks: none.
select next_offset
from positions
where lane = $1 and topic = $2
