-- name: create_lanes
-- One row for each lane there is. Locks: none where the rows exist; those are left out, for even `on conflict` waits for
-- whoever has one locked, and a stopped worker would keep others from starting.
insert into lanes (lane)
select wanted.lane
from generate_series(0, $1::int - 1) as wanted (lane)
where not exists (select from lanes where lanes.lane = wanted.lane)
on conflict (lane) do nothing

-- name: count_lanes
-- How many lanes this service was set up with; it must equal the partitions of every topic. Locks: none.
select count(*) from lanes

-- name: enrol
-- This process now works under this name; says whose instance it replaced while that one was still alive.
-- Locks: the name's one row.
with previous as (
    select instance
    from workers
    where name = $1 and instance <> $2 and seen_until > now()
)

insert into workers (name, instance, seen_until)
values ($1, $2, now() + $3::interval)
on conflict (name) do update set instance = excluded.instance, seen_until = excluded.seen_until
returning (select previous.instance from previous)

-- name: heartbeat
-- No row: another living process has the name. Where nobody has, the database has fallen back to before this process
-- enrolled (a standby that lacked the last commits, a backup), and it enrols again. Says since when this server runs: no
-- other one, and no other life of this one, says the same. Locks: the name's one row.
insert into workers (name, instance, seen_until)
values ($1, $2, now() + $3::interval)
on conflict (name) do update set instance = excluded.instance, seen_until = excluded.seen_until
where workers.instance = excluded.instance or workers.seen_until < now()
returning pg_postmaster_start_time()

-- name: leave
-- A worker that goes says so, that others take its share at once. Locks: the name's one row.
delete from workers
where name = $1 and instance = $2

-- name: living
-- How many workers share the lanes. Locks: none.
select count(*) from workers
where seen_until > now()

-- name: claim
-- Take one lane that nobody holds and raise its epoch: from here on its former worker cannot commit.
-- Locks: that lane's row; a lane locked by an open batch is passed over until the batch ends or times out.
update lanes
set epoch = epoch + 1, owner = $1, instance = $2, leased_until = now() + $3::interval
where lane = (
    select free.lane
    from lanes as free
    where free.leased_until is null or free.leased_until < now()
    order by free.leased_until nulls first, free.lane
    limit 1
    for update skip locked
)
returning lane, epoch, batches

-- name: evict
-- End the sessions that keep lanes locked though their lease ran out and their worker is dead or gave them up: one that
-- stands still in the middle of a COPY is ended by no time-out of the server, and a claim passes locked lanes over.
-- `$2` are the lanes that the asking worker works. Locks: none.
select count(pg_terminate_backend(session.pid))
from lanes
inner join pg_stat_activity as session
    on starts_with(session.application_name, 'lane ' || lanes.lane || ' ' || lanes.instance || ' ')
where
    lanes.leased_until < now()
    and lanes.lane <> all($2::smallint [])
    and (
        lanes.instance = $1
        or not exists (select from workers where workers.instance = lanes.instance and workers.seen_until > now())
    )

-- name: ours
-- Whether a lane was claimed here, under this epoch, by this process: a claim that was made on a server that another one
-- has taken the place of since is no claim, whatever the numbers. Locks: none.
select true from lanes
where lane = $1 and epoch = $2 and instance = $3

-- name: goes_on
-- What stopped the lane is over. Not before it took a step: a lane that is tried in vain would look well meanwhile.
-- Locks: the lane's row.
update lanes
set stopped_reason = null
where lane = $1 and epoch = $2 and stopped_reason is not null

-- name: renew
-- Extend the lease of every lane still ours, and say which those are. Locks: those rows, except of lanes in a batch,
-- which are passed over: a batch extends the lease itself, and waiting for one lane while holding others would stop them
-- all. `$2` is the text of an array: of the type of another the client asks the server first, each time on a fresh
-- connection, and that costs more than all the rest.
with renewed as (
    update lanes
    set leased_until = now() + $3::interval
    where lane = any(
        array(
            select ours.lane
            from lanes as ours
            where ours.instance = $1 and ours.lane = any($2::text::smallint [])
            for update skip locked
        )
    )
)

select lane
from lanes
where instance = $1 and lane = any($2::text::smallint [])

-- name: release
-- Give a lane back, with the reason where it could not go on. Locks: the lane's row.
update lanes
set leased_until = case when $3::text is null then null else now() + $4::interval end, stopped_reason = $3
where lane = $1 and epoch = $2

-- name: positions
-- Where a lane stands. Locks: none.
select topic, start_offset, next_offset, anchor_offset, anchor_digest
from positions
where lane = $1

-- name: put_aside
-- Batches of a lane that cannot be opened and are quarantined as they are. Locks: none.
select topic, "offset"
from unread_batches
where lane = $1

-- name: put_batch_aside
-- An operator's word that the batch before which a lane stands stopped is to be quarantined as it is. No row: the lane
-- does not stand there, or not for that. Locks: none beyond the new row.
insert into unread_batches (lane, topic, "offset", reason)
select
    lanes.lane,
    positions.topic,
    positions.next_offset,
    lanes.stopped_reason
from lanes
inner join positions on lanes.lane = positions.lane
where
    lanes.lane = $1
    and positions.topic = $2
    and positions.next_offset = $3
    and (starts_with(lanes.stopped_reason, 'BatchTooLarge:') or starts_with(lanes.stopped_reason, 'BatchUnreadable:'))
on conflict (lane, topic, "offset") do update set reason = excluded.reason
returning reason

-- name: start_position
-- A topic that this lane has not read before starts where the log starts. Locks: none beyond the new row.
insert into positions (lane, topic, start_offset, next_offset)
values ($1, $2, $3, $3)
on conflict (lane, topic) do nothing

-- name: fence
-- First statement of a batch. No row: another worker has the lane (epoch moved) or a batch of ours whose outcome we
-- did not learn was committed; the caller then applies nothing. Returns the events of the batch that are known.
-- A batch is a sign of life, so it extends the lease.
-- Locks: the lane's one row until commit, so that a new claimer waits for our outcome.
with fenced as (
    update lanes
    set batches = batches + 1, leased_until = greatest(leased_until, now() + $5::interval)
    where lane = $1 and epoch = $2 and batches = $3
    returning lane
)

select
    known.identities,
    known.digests
from fenced
cross join lateral (
    select
        array_agg(identity) as identities,
        array_agg(digest) as digests
    from identities
    where lane = $1 and identity = any($4::bytea [])
) as known

-- name: close_batch
-- Last statement of a batch: positions move only from where this worker believed them to be, the counts with them,
-- and the order is logged, in the row of the batches before it (`medfund.lanes.order`). Returns how many positions moved;
-- fewer than given means a broken invariant. Locks: the lane's position rows and that of its last batches, until commit.
with logged as (
    insert into batches (lane, first_batch, epoch, topics, first_offsets, cuts)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (lane, first_batch) do update
    set topics = excluded.topics, first_offsets = excluded.first_offsets, cuts = excluded.cuts
),

moved as (
    update positions as position
    set
        next_offset = step.next_offset,
        anchor_offset = coalesce(step.anchor_offset, position.anchor_offset),
        anchor_digest = coalesce(step.anchor_digest, position.anchor_digest),
        appended_at = coalesce(step.appended_at, position.appended_at),
        applied = position.applied + step.applied,
        no_effect = position.no_effect + step.no_effect,
        duplicate = position.duplicate + step.duplicate,
        quarantined = position.quarantined + step.quarantined,
        control = position.control + step.control
    from unnest(
        $7::text [], $8::bigint [], $9::bigint [], $10::bigint [], $11::bytea [], $12::timestamptz [],
        $13::bigint [], $14::bigint [], $15::bigint [], $16::bigint [], $17::bigint []
    ) as step (
        topic, old_offset, next_offset, anchor_offset, anchor_digest, appended_at,
        applied, no_effect, duplicate, quarantined, control
    )
    where position.lane = $1 and position.topic = step.topic and position.next_offset = step.old_offset
    returning position.topic
)

select count(*) from moved

-- name: quarantine
-- Every byte of what was refused. An array of rows, because COPY cannot run under row security.
-- Locks: none beyond the new rows.
insert into quarantine
select *
from unnest($1::quarantine [])

-- name: outbox
-- The next decisions of a lane, in order. Locks: none.
select batch, ordinal, topic, key, source, id, type, time, value
from outbox
where lane = $1
order by batch, ordinal
limit $2

-- name: sent
-- The log has everything up to here. Only the lane's present worker may say so. Locks: the deleted rows.
delete from outbox
where
    lane = $1 and (batch, ordinal) <= ($2, $3)
    and exists (select from lanes where lanes.lane = $1 and lanes.epoch = $4)
