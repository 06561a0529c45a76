-- migrate:up

-- What waits for somebody is found without looking through what is done: statements of which something may still be
-- requested, with something in dispute, or with something to be paid by a day.
-- squawk-ignore-file require-concurrent-index-creation
alter table statements
add column is_pending boolean not null default false,
add column in_dispute boolean not null default false,
add column pay_by date;
create index statements_pending on statements (area, lane, provider, supplier, ref) where is_pending;
create index statements_in_dispute on statements (area, provider, supplier, ref) where in_dispute;
create index statements_to_pay on statements (area, pay_by, provider, supplier, ref) where pay_by is not null;

-- Whoever asks is told what the rules would answer: they look at more than who asks may see.
grant select on claims, traces to medfund_api;
create policy read_by_whoever_sees_all on claims for select to medfund_api using (
    (select '*' = any(scope('areas'))) and (select '*' = any(scope('organisations')))
);
create policy read_by_whoever_sees_all on traces for select to medfund_api using (
    (select '*' = any(scope('areas'))) and (select '*' = any(scope('organisations')))
);

-- migrate:down
drop policy read_by_whoever_sees_all on traces;
drop policy read_by_whoever_sees_all on claims;
revoke select on claims, traces from medfund_api;
alter table statements drop column pay_by, drop column in_dispute, drop column is_pending;
