-- migrate:up

-- What facts say that rules keep in memory, each as it came (policies, notices of working days, keys of splits), and of
-- registered providers the last word: where they are, since when, what they are called, and the end of their account.
create table facts (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    type text not null,
    provider text,
    body jsonb not null,
    primary key (lane, topic, "offset")
);
create index facts_of_type on facts (type, lane, topic, "offset");

create table providers (
    lane smallint not null,
    provider text not null,
    area text not null,
    since date,
    origin text,
    first date,
    name text,
    account_ref text,
    account_ends text,
    primary key (lane, provider)
);

-- The day that each lane has opened last.
create table days (
    lane smallint not null primary key,
    opened date not null
);

grant select, insert on facts to medfund_worker;
grant select, insert, update on providers, days to medfund_worker;
grant select on facts, providers, days to medfund_reader;

-- The scopes are uncorrelated sub-selects on purpose: evaluated once a query, not once a row.

alter table providers enable row level security;
alter table providers force row level security;
create policy all_rows on providers to medfund_worker using (true) with check (true);
create policy own_rows on providers for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- What is published for a whole area is for those of the area, a notice of working days for everybody who has a scope.
alter table facts enable row level security;
alter table facts force row level security;
create policy all_rows on facts to medfund_worker using (true) with check (true);
create policy own_rows on facts for select to medfund_reader using (
    (
        (select '*' = any(scope('areas')))
        or body ->> 'area' = any((select scope('areas'))::text [])
        or (body ->> 'area' is null and (select scope('areas')) is not null)
    )
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or (provider is null and (select scope('organisations')) is not null)
    )
);

-- migrate:down
drop table days, providers, facts;
