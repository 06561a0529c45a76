-- migrate:up

-- Backstop under the explicit predicates of every query, as in the ledger: whoever reads as `medfund_reader` sees the rows
-- of its scope, and no row at all where no scope was set. Forced, so that the owner is no way around it: a migration that
-- touches data sets its scope first. The worker writes every organisation's rows by design: it has a policy that says so.
-- COPY cannot run under row security, so settlements, the bulk of the rows, are kept from readers altogether: what they may
-- know of them is in the view `settled`, which looks at the scope itself.

-- The codes that the present transaction may see; '*' stands for all of them. Null where nobody set a scope.
create function scope(kind text) returns text []
language sql stable parallel safe
return string_to_array(nullif(current_setting('medfund.' || kind, true), ''), ',');

-- What was asked over HTTP, before it goes to the log: one row for each command, under the id of its event, so that asking
-- again is recognised, and asking for something else under the same keys is refused at once.
create table commands (
    id text not null primary key,
    at timestamptz not null,
    subject text not null,
    role text not null,
    kind text not null,
    lane smallint not null,
    topic text not null,
    provider text not null,
    area text not null,
    body jsonb not null
);
grant select, insert on commands to medfund_reader;

-- Who asked for what and was allowed or refused. The API may add rows and cannot read, change or delete them.
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
grant insert on audit to medfund_reader;

grant select on providers, facts, claims, payments, findings, recoveries to medfund_reader;

-- The scopes are uncorrelated sub-selects on purpose: evaluated once a query, not once a row.

alter table providers enable row level security;
alter table providers force row level security;
create policy all_rows on providers to medfund_worker using (true) with check (true);
create policy own_rows on providers for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

create view settled with (security_barrier = true) as
select
    lane,
    "offset",
    provider,
    area,
    insured_area,
    insutype,
    clr_type,
    clr_way,
    service_date,
    (select sum(part) from unnest(fens) as part)::bigint as fen
from settlements
where
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []));
grant select on settled to medfund_reader;

alter table claims enable row level security;
alter table claims force row level security;
create policy all_rows on claims to medfund_worker using (true) with check (true);
create policy own_rows on claims for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

alter table commands enable row level security;
alter table commands force row level security;
create policy own_rows on commands to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

alter table recoveries enable row level security;
alter table recoveries force row level security;
create policy all_rows on recoveries to medfund_worker using (true) with check (true);
create policy own_rows on recoveries for select to medfund_reader using (
    (
        (select '*' = any(scope('areas')))
        or body -> 'dimensions' ->> 'area' = any((select scope('areas'))::text [])
    )
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- A payment's or a finding's area is the one its provider is registered in; the scope of `providers` holds in here too.

alter table payments enable row level security;
alter table payments force row level security;
create policy all_rows on payments to medfund_worker using (true) with check (true);
create policy own_rows on payments for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

alter table findings enable row level security;
alter table findings force row level security;
create policy all_rows on findings to medfund_worker using (true) with check (true);
create policy own_rows on findings for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- What is published for a whole area is for those of the area, a notice of working days for everybody who has a scope.
alter table facts enable row level security;
alter table facts force row level security;
create policy all_rows on facts to medfund_worker using (true) with check (true);
create policy own_rows on facts for select to medfund_reader using (
    (
        (select '*' = any(scope('areas')))
        or body ->> 'area' = any((select scope('areas'))::text [])
        or (body ->> 'area' is null and (select scope('areas')) is not null)
    )
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or (provider is null and (select scope('organisations')) is not null)
    )
);

-- Whoever sees a command sees why its event was refused, also where its provider has moved to another area.
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy all_rows on quarantine to medfund_worker using (true) with check (true);
create policy own_rows on quarantine for select to medfund_reader using (
    ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or (lane, party) in (select lane, provider from providers)
        or (source = '/clearing/commands' and id in (select id from commands))
    )
);

-- Decisions on their way to the log are nobody's to read.
revoke select on outbox from medfund_reader;

-- Lists are read in the order of due dates, a page at a time.
-- squawk-ignore require-concurrent-index-creation
create index claims_by_due on claims (due, lane, ref);
-- squawk-ignore require-concurrent-index-creation
create index payments_by_due on payments ((body ->> 'due'), lane, payment_ref);
-- squawk-ignore require-concurrent-index-creation
create index payments_of_payable on payments (lane, (body ->> 'payable_ref'));

-- migrate:down
drop index payments_of_payable, payments_by_due, claims_by_due;
grant select on outbox to medfund_reader;
drop policy own_rows on quarantine;
drop policy all_rows on quarantine;
alter table quarantine no force row level security, disable row level security;
drop policy own_rows on facts;
drop policy all_rows on facts;
alter table facts no force row level security, disable row level security;
drop policy own_rows on findings;
drop policy all_rows on findings;
alter table findings no force row level security, disable row level security;
drop policy own_rows on payments;
drop policy all_rows on payments;
alter table payments no force row level security, disable row level security;
drop policy own_rows on recoveries;
drop policy all_rows on recoveries;
alter table recoveries no force row level security, disable row level security;
drop policy own_rows on claims;
drop policy all_rows on claims;
alter table claims no force row level security, disable row level security;
drop view settled;
drop policy own_rows on providers;
drop policy all_rows on providers;
alter table providers no force row level security, disable row level security;
revoke select on providers, facts, claims, payments, findings, recoveries from medfund_reader;
drop table audit, commands;
drop function scope(text);
