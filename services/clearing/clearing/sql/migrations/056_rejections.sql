-- migrate:up

-- What was submitted last under a name, where it was rejected: the decision, as it is on the log. What was rejected before
-- decisions told of its submission is not kept, as it is when the log is read again.
create table rejections (
    lane smallint not null,
    provider text not null,
    ref text not null,
    area text not null,
    submitted_on date not null,
    body jsonb not null,
    primary key (lane, provider, ref)
);
create index rejections_by_day on rejections (submitted_on, lane, provider, ref);
grant select, insert, update, delete on rejections to medfund_worker;
grant select on rejections to medfund_reader;

alter table rejections enable row level security;
alter table rejections force row level security;
create policy all_rows on rejections to medfund_worker using (true) with check (true);
create policy own_rows on rejections for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- migrate:down
drop table rejections;
