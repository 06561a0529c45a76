-- migrate:up

-- Backstop under the explicit predicates of every query: whoever reads as `medfund_reader` sees the rows of its scope,
-- and no row at all where no scope was set. Forced, so that the owner is no way around it: a migration that touches
-- data sets its scope first. The worker's role bypasses it by attribute (COPY cannot run under row security); what
-- bounds the worker are its grants.

-- The codes that the present transaction may see; '*' stands for all of them. Null where nobody set a scope.
create function scope(kind text) returns text []
language sql stable parallel safe
return string_to_array(nullif(current_setting('medfund.' || kind, true), ''), ',');

-- The scopes are uncorrelated sub-selects on purpose: evaluated once a query, not once a row.

alter table journal enable row level security;
alter table journal force row level security;
create policy own_rows on journal for select to medfund_reader using (
    ('*' = any((select scope('areas'))::text []) or area = any((select scope('areas'))::text []))
    and (
        '*' = any((select scope('organisations'))::text [])
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
    )
);

alter table buckets enable row level security;
alter table buckets force row level security;
create policy own_rows on buckets for select to medfund_reader using (
    ('*' = any((select scope('areas'))::text []) or area = any((select scope('areas'))::text []))
    and (
        '*' = any((select scope('organisations'))::text [])
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
    )
);

alter table providers enable row level security;
alter table providers force row level security;
create policy own_rows on providers for select to medfund_reader using (
    ('*' = any((select scope('areas'))::text []) or area = any((select scope('areas'))::text []))
    and (
        '*' = any((select scope('organisations'))::text [])
        or provider = any((select scope('organisations'))::text [])
    )
);

-- What could not be read has no area, party or source: only a scope of all of them sees it.
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy own_rows on quarantine for select to medfund_reader using (
    ('*' = any((select scope('areas'))::text []) or area = any((select scope('areas'))::text []))
    and (
        '*' = any((select scope('organisations'))::text [])
        or party = any((select scope('organisations'))::text [])
    )
    and ('*' = any((select scope('sources'))::text []) or source = any((select scope('sources'))::text []))
);

-- Decisions on their way to the log are nobody's to read.
revoke select on outbox from medfund_reader;

-- migrate:down
grant select on outbox to medfund_reader;
drop policy own_rows on quarantine;
alter table quarantine no force row level security, disable row level security;
drop policy own_rows on providers;
alter table providers no force row level security, disable row level security;
drop policy own_rows on buckets;
alter table buckets no force row level security, disable row level security;
drop policy own_rows on journal;
alter table journal no force row level security, disable row level security;
drop function scope(text);
