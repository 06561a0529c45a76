-- migrate:up

-- The last day on which somebody approved a payment: what one person approves for a payee on a day is held against one limit.
alter table payments add column approved_on date;
grant update (approved_on) on payments to medfund_worker;
-- squawk-ignore require-concurrent-index-creation
create index payments_approved_on on payments (lane, provider, approved_on) where approved_on is not null;

-- migrate:down
drop index payments_approved_on;
alter table payments drop column approved_on;
