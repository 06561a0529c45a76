-- migrate:up

-- Identities are kept for ever: in eight tables, each of which is vacuumed, indexed anew and moved to another disk by
-- itself. Whoever asks names the lane, and so asks one of them. Each has its own primary key: one that is inherited cannot
-- be dropped, and `pg_restore --clean` tries to.
-- squawk-ignore renaming-table
alter table identities rename to identities_of_all_lanes;
create table identities (
    lane smallint not null,
    identity bytea not null,
    digest bytea not null,
    topic text not null,
    "offset" bigint not null
) partition by hash (lane);
create table identities_0 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 0);
create table identities_1 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 1);
create table identities_2 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 2);
create table identities_3 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 3);
create table identities_4 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 4);
create table identities_5 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 5);
create table identities_6 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 6);
create table identities_7 partition of identities (primary key (lane, identity)) for values with (modulus 8, remainder 7);
insert into identities (lane, identity, digest, topic, "offset")
select
    lane,
    identity,
    digest,
    topic,
    "offset"
from identities_of_all_lanes;
-- squawk-ignore ban-drop-table
drop table identities_of_all_lanes;

grant select, insert on identities to medfund_worker;
grant select on identities to medfund_reader;

-- migrate:down
alter table identities rename to identities_by_lane;
create table identities (
    lane smallint not null,
    identity bytea not null,
    digest bytea not null,
    topic text not null,
    "offset" bigint not null,
    primary key (lane, identity)
);
insert into identities (lane, identity, digest, topic, "offset")
select
    lane,
    identity,
    digest,
    topic,
    "offset"
from identities_by_lane;
drop table identities_by_lane;
grant select, insert on identities to medfund_worker;
grant select on identities to medfund_reader;
