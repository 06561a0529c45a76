-- migrate:up

-- The order in which a lane took its topics, some hundred batches to a row: `medfund.lanes.order` says how `cuts` are read.
-- A row is written anew with each of its batches, in place as long as its page has room.
create table packed_batches (
    lane smallint not null,
    first_batch bigint not null,
    epoch bigint not null,
    topics text [] not null,
    first_offsets bigint [] not null,
    cuts bytea not null,
    primary key (lane, first_batch)
);

-- A number as `medfund.lanes.order` writes it.
create function packed(whole bigint) returns bytea
language plpgsql immutable
as $$
declare
    rest bigint := whole;
    made bytea := '';
begin
    while rest > 127 loop
        made := made || set_byte('\x00', 0, (rest & 127 | 128)::int);
        rest := rest >> 7;
    end loop;
    return made || set_byte('\x00', 0, rest::int);
end
$$;

do $$
declare
    one record;
    span packed_batches;
    place int;
    last int;
begin
    for one in select * from batches order by lane, batch loop
        if span.lane is distinct from one.lane or span.epoch <> one.epoch or octet_length(span.cuts) >= 512 then
            if span.lane is not null then
                insert into packed_batches select span.*;
            end if;
            span := row(one.lane, one.batch, one.epoch, '{}'::text [], '{}'::bigint [], ''::bytea);
            last := 1;
        end if;
        for number in 1 .. cardinality(one.topics) loop
            place := array_position(span.topics, one.topics[number]);
            if place is null then
                span.topics := span.topics || one.topics[number];
                span.first_offsets := span.first_offsets || one.first_offsets[number];
                place := cardinality(span.topics);
            end if;
            span.cuts := span.cuts || packed(
                (one.next_offsets[number] - one.first_offsets[number]) * 4
                + case when place <> last then 2 else 0 end
                + case when number < cardinality(one.topics) then 1 else 0 end
            );
            if place <> last then
                span.cuts := span.cuts || packed(place - 1);
            end if;
            last := place;
        end loop;
    end loop;
    if span.lane is not null then
        insert into packed_batches select span.*;
    end if;
end
$$;

-- squawk-ignore ban-drop-function
drop function packed(bigint);
-- squawk-ignore ban-drop-table
drop table batches;
-- squawk-ignore renaming-table
alter table packed_batches rename to batches;
-- squawk-ignore renaming-object
alter table batches rename constraint packed_batches_pkey to batches_pkey;

-- Which batches a row is of does not change.
grant select, insert, update (topics, first_offsets, cuts) on batches to medfund_worker;
grant select on batches to medfund_reader;

-- migrate:down
drop table batches;
create table batches (
    lane smallint not null,
    batch bigint not null,
    epoch bigint not null,
    topics text [] not null,
    first_offsets bigint [] not null,
    next_offsets bigint [] not null,
    primary key (lane, batch)
);
grant select, insert on batches to medfund_worker;
grant select on batches to medfund_reader;
