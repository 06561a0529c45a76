-- migrate:up

-- What the bank says was in each account at the end of a day: the last statement of that day. Kept beside the books,
-- which follow from other events, and held against them by `medfund verify`. `imported_at` is its offset on the log.
create table statements (
    lane smallint not null,
    area text not null,
    fund text not null,
    bank_account text not null,
    day date not null,
    closing bigint not null,
    statement_ref text not null,
    imported_at bigint not null,
    primary key (lane, area, fund, bank_account, day),
    constraint bank_account_is_known check (bank_account in ('1002', '1003'))
);

grant select, insert, update on statements to medfund_worker;
grant select on statements to medfund_reader;

-- A bank account is the area's: whoever is bound to named organisations sees none of it.
alter table statements enable row level security;
alter table statements force row level security;
create policy all_rows on statements to medfund_worker using (true) with check (true);
create policy own_rows on statements for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (select '*' = any(scope('organisations')))
);

-- migrate:down
drop table statements;
