-- name: turns
-- What was told of the keys of a lane, in order. Locks: none.
select
    type,
    event
from turns
where lane = $1
order by key, number

-- name: waiting
-- How many facts of each key wait. Locks: none.
select
    key,
    count(*) as facts
from waiting
where lane = $1
group by key

-- name: recall
-- Of the facts of some keys that wait, in the order in which the log got them: those that a batch brings again, and of each
-- topic the first ones, one more than these can settle. Locks: none.
with again as (
    select
        key,
        identity,
        digest,
        appended_at,
        topic,
        "offset"
    from waiting
    where lane = $1 and identity = any($4::bytea []) and key = any($2::text [])
),

asked as (
    select
        wanted.key,
        (select count(*) from again where again.key = wanted.key) as facts
    from unnest($2::text []) as wanted (key)
)

select * from again
union
select first.*
from asked
cross join unnest($3::text []) as family (topic)
cross join lateral (
    select
        key,
        identity,
        digest,
        appended_at,
        topic,
        "offset"
    from waiting
    where waiting.lane = $1 and waiting.key = asked.key and waiting.topic = family.topic
    order by waiting.appended_at, waiting."offset"
    limit asked.facts + 1
) as first
order by appended_at, topic, "offset"

-- name: take_turns
-- Keep what was told of keys. Locks: none beyond the new rows.
insert into turns (lane, key, number, type, event)
select
    $1,
    turn.key,
    turn.number,
    turn.type,
    turn.event
from unnest($2::text::text [], $3::text::int [], $4::text::text [], $5::text::jsonb [])
    as turn (key, number, type, event)

-- name: wait
-- Facts that were put aside. Locks: none beyond the new rows.
insert into waiting (lane, key, identity, digest, appended_at, topic, "offset")
select
    $1,
    fact.key,
    fact.identity,
    fact.digest,
    fact.appended_at,
    fact.topic,
    fact.place
from unnest($2::text [], $3::bytea [], $4::bytea [], $5::timestamptz [], $6::text [], $7::bigint [])
    as fact (key, identity, digest, appended_at, topic, place)

-- name: settle
-- Facts that wait no longer: a copy of each was judged. Locks: the deleted rows.
delete from waiting
using unnest($2::text [], $3::bigint []) as fact (topic, place)
where waiting.lane = $1 and waiting.topic = fact.topic and waiting."offset" = fact.place

-- name: parked
-- For operators: every key of which facts wait, what was told last of a fault, how many wait and since when. Locks: none.
select
    kept.lane,
    kept.key,
    fault.event,
    kept.waiting,
    kept.since
from (
    select
        lane,
        key,
        count(*) as waiting,
        min(appended_at) as since
    from waiting
    group by lane, key
) as kept
cross join lateral (
    select turns.event
    from turns
    where turns.lane = kept.lane and turns.key = kept.key and turns.type = 'fact.parked.v1'
    order by turns.number desc
    limit 1
) as fault
order by kept.lane, kept.key

-- name: to_retry
-- The next facts of a key that wait, after a place, in the order in which the log got them, as they came. Locks: none.
select
    waiting.topic,
    waiting."offset",
    waiting.appended_at,
    quarantine.key,
    quarantine.value,
    quarantine.header_names,
    quarantine.header_values
from waiting
inner join quarantine
    on
        waiting.lane = quarantine.lane
        and waiting.topic = quarantine.topic
        and waiting."offset" = quarantine."offset"
where
    waiting.lane = $1
    and waiting.key = $2
    and (waiting.appended_at, waiting.topic, waiting."offset") > ($3, $4, $5)
order by waiting.appended_at, waiting.topic, waiting."offset"
limit $6
