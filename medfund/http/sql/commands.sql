-- name: keep
-- A command as it was asked for first. Locks: none beyond the new row; of two at once the second waits for the first.
insert into commands (id, at, subject, role, kind, lane, topic, provider, area, body, asked)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11::text::jsonb)
on conflict (id) do nothing

-- name: kept
-- A command by its id; one that goes to every lane has none. Locks: none.
select
    id,
    at,
    kind,
    lane,
    topic,
    provider,
    area,
    body,
    asked
from commands
where
    id = $1
    and (lane is null or lane = any($2::smallint []))
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or provider = any($4))
    and ($5::text [] is null or body ->> 'supplier' = any($5))

-- name: accepted
-- Where events were accepted that have these identities. Locks: none.
select
    lane,
    identity,
    topic,
    "offset"
from identities
where lane = any($1::smallint []) and identity = any($2::bytea [])

-- name: refused
-- Why an event was refused, the last time that it was: in its lane, or in any that it went to. Locks: none.
select
    reason,
    detail
from quarantine
where lane = any($1::smallint []) and identity = $2 and ($3::text is null or party = $3)
order by appended_at desc
limit 1
