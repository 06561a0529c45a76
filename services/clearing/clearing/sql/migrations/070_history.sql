-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file require-concurrent-index-creation, adding-field-with-default

-- What is asked every day costs the same after years: each of these is read by an index that does not hold what is over, or
-- in which that lies apart.

-- A reader looks runs and requests up by a column: under row security, what is inside of a body finds no index.
create index facts_of_audits on facts (lane, provider) where type = 'audit.stage.completed.v1';
alter table facts add column name text
generated always as (coalesce(body ->> 'run_ref', body ->> 'request_ref')) stored;
create index facts_by_name on facts (name, type) where name is not null;
create index runs_by_day on facts ((body ->> 'execute_on'), (body ->> 'run_ref'), lane)
where type = 'payment.run.opened.v1';
alter table commands add column name text generated always as (body ->> 'run_ref') stored;
create index runs_asked_by_name on commands (name) where name is not null;
create index runs_asked_by_day on commands ((body ->> 'execute_on'), (body ->> 'run_ref')) where kind = 'run';
create index requests_by_day on facts ((body ->> 'needed_on'), lane, "offset")
where type = 'treasury.funds.requested.v1';

-- Claims that may hold the same settlements, those of an area's month, and those that are not over, in the order of their due
-- days.
create index claims_by_period on claims (lane, provider, period_to);
create index claims_of_month on claims (area, period_to);
create index claims_open_by_due on claims (due, lane, provider, ref) where is_open;
create index claims_by_name on claims (ref);
create index recoveries_by_name on recoveries (ref, provider);
create index prepayments_by_name on prepayments (ref, lane, provider);
create index suspense_by_day on suspense ((body ->> 'value_date'), lane, item_ref);

-- A month's settlements lie together, but for what comes late.
create index settlements_by_day on settlements using brin (service_date date_minmax_multi_ops)
with (pages_per_range = 32, autosummarize = on);

-- Whoever sees a command sees why its event was refused, without reading all commands for it.
alter policy own_rows on quarantine using (
    ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or (lane, party) in (select lane, provider from providers)
        or (source = '/clearing/commands' and exists (select from commands where commands.id = quarantine.id))
    )
);

-- migrate:down
alter policy own_rows on quarantine using (
    ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or (lane, party) in (select lane, provider from providers)
        or (source = '/clearing/commands' and id in (select id from commands))
    )
);
drop index settlements_by_day, suspense_by_day, prepayments_by_name, recoveries_by_name, claims_by_name,
claims_open_by_due, claims_of_month, claims_by_period, requests_by_day, runs_asked_by_day, runs_asked_by_name,
runs_by_day, facts_by_name, facts_of_audits;
alter table commands drop column name;
alter table facts drop column name;
