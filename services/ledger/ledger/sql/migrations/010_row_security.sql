-- migrate:up

-- Backstop under the explicit predicates of every query: whoever reads as `medfund_reader` sees the rows of its scope,
-- and no row at all where no scope was set. Forced, so that the owner is no way around it: a migration that touches
-- data sets its scope first. The worker writes every organisation's rows by design: it has a policy that says so, and
-- grants that bound it. (COPY cannot run under row security, so these tables are written by `insert ... unnest`.)

-- The codes that the present transaction may see; '*' stands for all of them. Null where nobody set a scope.
create function scope(kind text) returns text []
language sql stable parallel safe
return string_to_array(nullif(current_setting('medfund.' || kind, true), ''), ',');

-- The scopes are uncorrelated sub-selects on purpose: evaluated once a query, not once a row.

alter table journal enable row level security;
alter table journal force row level security;
create policy all_rows on journal to medfund_worker using (true) with check (true);
create policy own_rows on journal for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
    )
);

alter table buckets enable row level security;
alter table buckets force row level security;
create policy all_rows on buckets to medfund_worker using (true) with check (true);
create policy own_rows on buckets for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
    )
);

alter table providers enable row level security;
alter table providers force row level security;
create policy all_rows on providers to medfund_worker using (true) with check (true);
create policy own_rows on providers for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
    )
);

-- A publisher sees what came under its sources, whoever it is about. Everybody else sees by organisation and area; the
-- area of a provider is the one it is registered in, and the scope of `providers` holds in here too. What is of nobody
-- (no readable key) is for those who see everything.
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy all_rows on quarantine to medfund_worker using (true) with check (true);
create policy own_rows on quarantine for select to medfund_reader using (
    case when (select '*' = any(scope('sources')))
        then
            (
                (select '*' = any(scope('organisations')))
                or party = any((select scope('organisations'))::text [])
            )
            and (
                (select '*' = any(scope('areas')))
                or area = any((select scope('areas'))::text [])
                or party = any((select scope('organisations'))::text [])
                or party in (select provider from providers)
            )
        else source = any((select scope('sources'))::text [])
    end
);

-- Decisions on their way to the log are nobody's to read.
revoke select on outbox from medfund_reader;

-- migrate:down
grant select on outbox to medfund_reader;
drop policy own_rows on quarantine;
drop policy all_rows on quarantine;
alter table quarantine no force row level security, disable row level security;
drop policy own_rows on providers;
drop policy all_rows on providers;
alter table providers no force row level security, disable row level security;
drop policy own_rows on buckets;
drop policy all_rows on buckets;
alter table buckets no force row level security, disable row level security;
drop policy own_rows on journal;
drop policy all_rows on journal;
alter table journal no force row level security, disable row level security;
drop function scope(text);
