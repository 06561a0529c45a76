-- migrate:up

-- What is in each bank account by what moved on it: one row for each lane, which adds to it as it writes what moves, so that
-- nobody adds up the moves of years. What was there at the end of a day is this less what moved since.
create table cash (
    lane smallint not null,
    area text not null,
    fund text not null,
    bank_account text not null,
    fen numeric not null,
    primary key (lane, area, fund, bank_account)
);
create index cash_of_account on cash (area, fund, bank_account);
grant select, insert, update on cash to medfund_worker;
grant select on cash to medfund_reader, medfund_bank;

-- Row security is off while rows are touched, for their owner has no scope; it is on again at the end.
alter table moves no force row level security;
insert into cash (lane, area, fund, bank_account, fen)
select
    lane,
    area,
    fund,
    bank_account,
    sum(fen)
from moves
group by lane, area, fund, bank_account;
alter table moves force row level security;

alter table cash enable row level security;
alter table cash force row level security;
create policy all_rows on cash to medfund_worker using (true) with check (true);
create policy own_rows on cash for select to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
create policy banks_rows on cash for select to medfund_bank using (true);

-- migrate:down
drop table cash;
