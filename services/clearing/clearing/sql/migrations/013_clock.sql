-- migrate:up

-- A claim whose deadlines wait for a notice is read when that comes, be it paid or not. Row security is off meanwhile, for
-- the tables' owner has no scope.
alter table claims no force row level security;
update claims
set is_open = true
where
    not is_open and status <> 'WITHDRAWN'
    and (body ->> 'latest' is not null or body ->> 'latest_limit' is not null);
alter table claims force row level security;

-- migrate:down
-- The rows are as they were but for a flag, which the next change of each sets.
