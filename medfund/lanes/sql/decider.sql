-- name: decided
-- Up to where the facts of each topic were decided here, and up to where the log answers them. Locks: none.
select
    positions.topic,
    positions.next_offset as decided,
    coalesce(answered.next_offset, 0) as answered
from positions
left join answered on positions.lane = answered.lane and positions.topic = answered.topic
where positions.lane = $1

-- name: answer
-- Facts before these offsets are answered by decisions that were found on the log. Locks: those rows.
insert into answered (lane, topic, next_offset)
select
    $1,
    topic,
    next_offset
from unnest($2::text [], $3::bigint []) as found (topic, next_offset)
on conflict (lane, topic) do update set next_offset = excluded.next_offset
