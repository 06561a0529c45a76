-- migrate:up

-- Where each provider is paid to, and since when.
create table payees (
    lane smallint not null,
    provider text not null,
    body jsonb not null,
    primary key (lane, provider)
);
grant select, insert, update on payees to medfund_worker;
grant select on payees to medfund_reader;

-- The day that was opened last, one row for each lane.
create table days (
    lane smallint not null primary key,
    opened date not null
);
grant select, insert, update on days to medfund_worker;
grant select on days to medfund_reader;

-- What a payment is looked for by: runs take those of one fund of one area, the bank names them by its own id. Payments of
-- several funds, of before each fund had its own, have no fund.
alter table payments
add column area text not null default '',
add column fund text,
add column fen bigint not null default 0,
add column due date,
add column end_to_end_id text,
add column run_ref text,
add column to_retry boolean not null default false;
-- squawk-ignore require-concurrent-index-creation
create index payments_approved on payments (lane, area, fund, due, payment_ref) where status = 'APPROVED';
-- squawk-ignore require-concurrent-index-creation
create index payments_unsent on payments (lane, (body ->> 'payable_ref')) where status in ('ORDERED', 'APPROVED');
-- squawk-ignore require-concurrent-index-creation
create index payments_of_run on payments (run_ref, end_to_end_id) where run_ref is not null;
-- squawk-ignore require-concurrent-index-creation
create index payments_at_the_bank on payments (end_to_end_id) where end_to_end_id is not null;
-- squawk-ignore require-concurrent-index-creation
create index payments_on_their_way on payments (area, fund) where status = 'SENT';

-- Bank money that nobody can place, and what it turned out to be.
create table suspense (
    lane smallint not null,
    item_ref text not null,
    area text not null,
    is_open boolean not null,
    body jsonb not null,
    primary key (lane, item_ref)
);
create index suspense_open on suspense (area, lane, item_ref) where is_open;
grant select, insert, update on suspense to medfund_worker;
grant select on suspense to medfund_reader;

-- What moved on the bank accounts of the funds, as the books have it: what comes in is above zero.
create table moves (
    lane smallint not null,
    area text not null,
    fund text not null,
    bank_account text not null,
    value_date date not null,
    bank_txn text not null,
    ref text not null,
    fen bigint not null,
    primary key (lane, area, fund, bank_account, bank_txn, ref, value_date)
);
create index moves_by_day on moves (area, fund, bank_account, value_date) include (fen);
grant select, insert, update on moves to medfund_worker;
grant select on moves to medfund_reader;
create index moves_by_number on moves (area, fund, bank_account, bank_txn);

-- The run that was made last for each bank account: the next one is made when all lanes have decided that one.
create table runs (
    area text not null,
    fund text not null,
    bank_account text not null,
    run_ref text not null,
    primary key (area, fund, bank_account)
);
grant select, insert, update on runs to medfund_reader;

alter table runs enable row level security;
alter table runs force row level security;
create policy own_rows on runs to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

-- Runs are facts that are kept as they came.
-- squawk-ignore require-concurrent-index-creation
create index facts_of_runs on facts ((body ->> 'run_ref')) where type = 'payment.run.opened.v1';

alter table payees enable row level security;
alter table payees force row level security;
create policy all_rows on payees to medfund_worker using (true) with check (true);
create policy own_rows on payees for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

alter table suspense enable row level security;
alter table suspense force row level security;
create policy all_rows on suspense to medfund_worker using (true) with check (true);
create policy own_rows on suspense for select to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

alter table moves enable row level security;
alter table moves force row level security;
create policy all_rows on moves to medfund_worker using (true) with check (true);
create policy own_rows on moves for select to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

-- migrate:down
drop index facts_of_runs;
drop table runs, moves, suspense;
drop index payments_on_their_way, payments_at_the_bank, payments_of_run, payments_unsent, payments_approved;
alter table payments
drop column area, drop column fund, drop column fen, drop column due, drop column end_to_end_id, drop column run_ref,
drop column to_retry;
drop table days, payees;
