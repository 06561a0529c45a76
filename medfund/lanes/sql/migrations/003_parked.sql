-- migrate:up

-- What a deciding service told of keys whose facts wait, or heard of it on its own topic; `number` is the order of a key.
create table turns (
    lane smallint not null,
    key text not null,
    number integer not null,
    type text not null,
    event jsonb not null,
    primary key (lane, key, number)
);

-- Facts that wait to be retried; their bytes are in quarantine, at the same place.
create table waiting (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    key text not null,
    identity bytea not null,
    digest bytea not null,
    appended_at timestamptz not null,
    primary key (lane, topic, "offset")
);

grant select, insert on turns to medfund_worker;
grant select, insert, delete on waiting to medfund_worker;
grant select on turns, waiting to medfund_reader;

-- migrate:down
drop table waiting, turns;
