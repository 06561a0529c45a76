-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, adding-not-nullable-field
-- squawk-ignore-file adding-serial-primary-key-field
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- A line of a bank account is the bank's number, the booking day and the direction: banks begin their numbers anew each day.
-- What was booked before was told without a booking day, which then is the value date.
alter table moves no force row level security;
alter table moves add column booked_on date, add column direction text;
update moves set booked_on = value_date, direction = case when fen > 0 then 'IN' else 'OUT' end;
alter table moves alter column booked_on set not null, alter column direction set not null;
alter table moves drop constraint moves_pkey;
alter table moves add primary key (
    lane, area, fund, bank_account, bank_txn, provider, ref, value_date, booked_on, direction
);
drop index moves_by_day;
create index moves_by_day on moves (area, fund, bank_account, booked_on) include (fen);
alter table moves force row level security;

alter table bank_lines no force row level security;
alter table bank_lines add column booked_on date, add column direction text;
update bank_lines set booked_on = value_date, direction = case when fen > 0 then 'IN' else 'OUT' end;
alter table bank_lines alter column booked_on set not null, alter column direction set not null;
alter table bank_lines drop constraint bank_lines_pkey;
alter table bank_lines add primary key (area, fund, bank_account, bank_txn, booked_on, direction);
alter table bank_lines force row level security;

-- What the bank may pay still, or has paid again, of what a payable is owed: whoever has it paid again has to know.
create index payments_doubted on payments (lane, provider) where status in ('SENT', 'FAILED') and body ? 'doubt';
create view doubts with (security_invoker = true) as
select
    lane,
    provider,
    fund,
    body ->> 'payable_ref' as payable_ref,
    payment_ref,
    payment_ref || ': ' || (body ->> 'doubt') as why
from payments
where status in ('SENT', 'FAILED') and body ? 'doubt'
union all
select
    item.lane,
    payment.provider,
    payment.fund,
    payment.body ->> 'payable_ref',
    payment.payment_ref,
    payment.payment_ref || ': ' || item.item_ref || ' ' || (item.body ->> 'reason')
from suspense as item
inner join payments as payment
    on
        item.lane = payment.lane and item.area = payment.area
        and payment.payment_ref = item.body ->> 'payment_ref'
where item.is_open and item.body ->> 'direction' = 'OUT';
grant select on doubts to medfund_reader;

-- migrate:down
drop view doubts;
drop index payments_doubted;
alter table bank_lines drop constraint bank_lines_pkey;
alter table bank_lines drop column booked_on, drop column direction;
alter table bank_lines add primary key (area, fund, bank_account, bank_txn);
drop index moves_by_day;
alter table moves drop constraint moves_pkey;
alter table moves drop column booked_on, drop column direction;
alter table moves add primary key (lane, area, fund, bank_account, bank_txn, provider, ref, value_date);
create index moves_by_day on moves (area, fund, bank_account, value_date) include (fen);
