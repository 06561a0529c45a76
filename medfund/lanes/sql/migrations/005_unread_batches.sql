-- migrate:up

-- Batches of the log that cannot be opened and that an operator had put aside: their bytes are in quarantine, at the same
-- place. `reason` is why the lane stood still before it.
create table unread_batches (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    reason text not null,
    put_aside_at timestamptz not null default now(),
    primary key (lane, topic, "offset")
);

grant select, insert, update on unread_batches to medfund_worker;
grant select on unread_batches to medfund_reader;

-- migrate:down
drop table unread_batches;
