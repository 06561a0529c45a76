-- migrate:up

-- Who speaks, as a lane has heard it: registrations of sources, and from when on it asks for them, as they came.
create table sources (
    lane smallint not null,
    "offset" bigint not null,
    appended_at timestamptz not null,
    type text not null,
    event jsonb not null,
    primary key (lane, "offset")
);

grant select, insert on sources to medfund_worker;
grant select on sources to medfund_reader;

-- migrate:down
drop table sources;
