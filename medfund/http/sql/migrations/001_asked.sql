-- migrate:up

-- What every service keeps of those who ask it over HTTP. Row-level security is the backstop under the explicit predicates
-- of every query: whoever reads sees the rows of its scope, and no row at all where no scope was set. Forced, so that the
-- owner is no way around it: a migration that touches data sets its scope first.

-- The codes that the present transaction may see; '*' stands for all of them. Null where nobody set a scope.
create function scope(kind text) returns text []
language sql stable parallel safe
return string_to_array(nullif(current_setting('medfund.' || kind, true), ''), ',');

-- What was asked, before it goes to the log: one row for each command, under the id of its event, so that asking again is
-- recognised, and asking for something else under the same keys is refused at once. A command about a whole area has no
-- provider; one that goes to every lane has no lane. `asked` is what was asked where the event says more than that.
create table commands (
    id text not null primary key,
    at timestamptz not null,
    subject text not null,
    role text not null,
    kind text not null,
    lane smallint,
    topic text not null,
    provider text,
    area text not null,
    body jsonb not null,
    asked jsonb
);
grant select on commands to medfund_reader;
grant insert on commands to medfund_api;

-- Who asked for what and was allowed or refused: added to, never changed. Read by those alone who speak for everybody: a row
-- is no area's.
create table audit (
    id uuid not null primary key,
    at timestamptz not null,
    subject text not null,
    role text not null,
    operation text not null,
    outcome text not null,
    detail jsonb not null,
    constraint outcome_is_a_code check (outcome ~ '^[a-z_]{1,40}$')
);
grant select, insert on audit to medfund_api;

-- The scopes are uncorrelated sub-selects on purpose: evaluated once a query, not once a row.

alter table commands enable row level security;
alter table commands force row level security;
create policy own_rows on commands to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

alter table audit enable row level security;
create policy added on audit for insert to medfund_api with check (true);
create policy read_by_whoever_sees_all on audit for select to medfund_api using (
    (select '*' = any(scope('areas'))) and (select '*' = any(scope('organisations')))
);

-- Whoever sees a command sees why its event was refused, also where that is of no area any more.
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy all_rows on quarantine to medfund_worker using (true) with check (true);
create policy own_rows on quarantine for select to medfund_reader using (
    ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or exists (select from commands where commands.id = quarantine.id)
    )
);

-- Decisions on their way to the log are nobody's to read.
revoke select on outbox from medfund_reader;

-- migrate:down
grant select on outbox to medfund_reader;
drop policy own_rows on quarantine;
drop policy all_rows on quarantine;
alter table quarantine no force row level security, disable row level security;
drop table audit, commands;
drop function scope(text);
