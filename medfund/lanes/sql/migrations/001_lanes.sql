-- migrate:up

-- A lane is worked by one worker at a time: the lease says who is alive, the epoch says who may commit.
create table lanes (
    lane smallint primary key,
    epoch bigint not null default 0,
    batches bigint not null default 0,
    owner text,
    instance text,
    leased_until timestamptz,
    stopped_reason text
);

-- The only positions there are. The counts of what became of each record add up to the distance travelled.
create table positions (
    lane smallint not null,
    topic text not null,
    start_offset bigint not null,
    next_offset bigint not null,
    anchor_offset bigint,
    anchor_digest bytea,
    applied bigint not null default 0,
    no_effect bigint not null default 0,
    duplicate bigint not null default 0,
    quarantined bigint not null default 0,
    control bigint not null default 0,
    appended_at timestamptz,
    primary key (lane, topic),
    constraint every_offset_is_accounted_for
    check (next_offset - start_offset = applied + no_effect + duplicate + quarantined + control),
    constraint anchor_is_whole check ((anchor_offset is null) = (anchor_digest is null))
) with (fillfactor = 50);

-- The order in which a lane took its topics: one row per batch, one array element per run of records.
create table batches (
    lane smallint not null,
    batch bigint not null,
    epoch bigint not null,
    topics text [] not null,
    first_offsets bigint [] not null,
    next_offsets bigint [] not null,
    primary key (lane, batch)
);

-- Every accepted event for ever: what it is called, what it said, where it stands on the log.
create table identities (
    lane smallint not null,
    identity bytea not null,
    digest bytea not null,
    topic text not null,
    "offset" bigint not null,
    primary key (lane, identity)
);

-- Further deliveries of an accepted event.
create table repeats (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    identity bytea not null,
    primary key (lane, topic, "offset")
);
create index repeats_by_identity on repeats (lane, identity);

-- What was refused, why, and every byte of it.
create table quarantine (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    appended_at timestamptz not null,
    reason text not null,
    detail text not null,
    source text,
    id text,
    type text,
    identity bytea,
    area text,
    party text,
    key bytea,
    value bytea,
    header_names bytea [] not null,
    header_values bytea [] not null,
    primary key (lane, topic, "offset")
);
create index quarantine_by_identity on quarantine (lane, identity);

-- Events this service decided, until the log has them.
create table outbox (
    lane smallint not null,
    batch bigint not null,
    ordinal integer not null,
    topic text not null,
    key bytea not null,
    source text not null,
    id text not null,
    type text not null,
    time text not null,
    value bytea not null,
    primary key (lane, batch, ordinal)
);

-- Who works: a second process under the same name takes the name over, and the first one notices.
create table workers (
    name text primary key,
    instance text not null,
    seen_until timestamptz not null
);

grant select, insert, update on lanes, positions, workers to medfund_worker;
grant select, insert on batches, identities, repeats, quarantine to medfund_worker;
grant select, insert, delete on outbox to medfund_worker;
grant delete on workers to medfund_worker;
grant select on lanes, positions, batches, identities, repeats, quarantine, outbox, workers to medfund_reader;

-- migrate:down
drop table workers, outbox, quarantine, repeats, identities, batches, positions, lanes;
