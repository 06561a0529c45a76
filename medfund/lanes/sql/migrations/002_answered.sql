-- migrate:up

-- What a deciding service found on the log when its tables were younger than the log: the facts before `next_offset` are
-- answered there, and are not decided again.
create table answered (
    lane smallint not null,
    topic text not null,
    next_offset bigint not null,
    primary key (lane, topic)
);
grant select, insert, update on answered to medfund_worker;

-- migrate:down
drop table answered;
