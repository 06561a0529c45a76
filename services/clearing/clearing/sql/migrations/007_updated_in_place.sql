-- migrate:up

-- What changes often leaves room beside it: a changed row stays on its page, and most indexes hear nothing of it.
alter table claims set (fillfactor = 70);
alter table payments set (fillfactor = 70);
-- All payments of a payable are a few.
-- squawk-ignore require-concurrent-index-deletion
drop index payments_unsent;

-- migrate:down
create index payments_unsent on payments (lane, (body ->> 'payable_ref')) where status in ('ORDERED', 'APPROVED');
alter table payments reset (fillfactor);
alter table claims reset (fillfactor);
