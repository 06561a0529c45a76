-- migrate:up

-- Auditors read who asked for what, through the API, and only those who speak for everybody: a row is no area's.
grant select on audit to medfund_api;
alter table audit enable row level security;
create policy added on audit for insert to medfund_api with check (true);
create policy read_by_whoever_sees_all on audit for select to medfund_api using (
    (select '*' = any(scope('areas'))) and (select '*' = any(scope('organisations')))
);

-- migrate:down
drop policy read_by_whoever_sees_all on audit;
drop policy added on audit;
alter table audit disable row level security;
revoke select on audit from medfund_api;
