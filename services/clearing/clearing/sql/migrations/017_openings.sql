-- migrate:up

-- What the books began with and nothing is decided about yet: statements of suppliers, what a clearing left.
create table openings (
    lane smallint not null,
    provider text not null,
    ref text not null,
    area text not null,
    account text not null,
    body jsonb not null,
    primary key (lane, provider, ref)
);
grant select, insert on openings to medfund_worker;
grant select on openings to medfund_reader;
alter table openings enable row level security;
alter table openings force row level security;
create policy all_rows on openings to medfund_worker using (true) with check (true);
create policy own_rows on openings for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- A mandate that was kept before two people had to stand behind it says so, as it does when the log is read again.
alter table facts no force row level security;
update facts set body = body || '{"approvers": null}' where type = 'staff.mandated.v1' and not body ? 'approvers';
alter table facts force row level security;

-- migrate:down
drop table openings;
