-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file require-concurrent-index-creation

-- What is in each bank account, in suspense and in what stands for them in STAT: one row for each lane, which adds to it as it
-- books, so that nobody adds up the buckets of years; none before something was booked or a statement came. What was there
-- at the end of a day is this less what has a later value date.
create table cash (
    lane smallint not null,
    area text not null,
    fund text not null,
    account text not null,
    fen numeric not null,
    primary key (lane, area, fund, account)
);
grant select, insert, update on cash to medfund_worker;
grant select on cash to medfund_reader;

create index buckets_of_cash on buckets (area, fund, account, value_date)
where account in ('1002', '1003', '1190', '2190', 'EXP_CASH', 'FISCAL_CASH', 'TEMP_SUSPENSE', 'RECV_SUSPENSE');
create index shifts_by_booking_day on shifts (area, fund, bank_account, booked_on);

-- Row security is off while rows are read, for their owner has no scope; it is on again at the end.
alter table buckets no force row level security;
alter table statements no force row level security;
insert into cash (lane, area, fund, account, fen)
select
    lane,
    area,
    fund,
    account,
    sum(debit - credit)
from buckets
where
    account in ('1002', '1003', '1190', '2190', 'EXP_CASH', 'FISCAL_CASH', 'TEMP_SUSPENSE', 'RECV_SUSPENSE')
group by lane, area, fund, account;
insert into cash (lane, area, fund, account, fen)
select distinct
    lane,
    area,
    fund,
    bank_account,
    0
from statements
on conflict (lane, area, fund, account) do nothing;
alter table statements force row level security;
alter table buckets force row level security;

-- A bank account is the area's: whoever is bound to named organisations sees none of it.
alter table cash enable row level security;
alter table cash force row level security;
create policy all_rows on cash to medfund_worker using (true) with check (true);
create policy own_rows on cash for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (select '*' = any(scope('organisations')))
);

-- migrate:down
drop index shifts_by_booking_day, buckets_of_cash;
drop table cash;
