-- migrate:up

-- Who is new gets no prepayment: since when a provider is what it is, and what began it.
alter table providers add column since date, add column origin text;

-- What providers were given in advance: one row for each prepayment of one fund, from its application on. `is_open` is true
-- for as long as it matters: something of it is open, or it blocks a year.
create table prepayments (
    lane smallint not null,
    ref text not null,
    provider text not null,
    area text not null,
    fund text not null,
    kind text not null,
    year smallint not null,
    status text not null,
    is_open boolean not null,
    body jsonb not null,
    primary key (lane, ref)
);
create index prepayments_open on prepayments (lane, provider) where is_open;
create index prepayments_of_area on prepayments (area, year, kind, status);
grant select, insert, update on prepayments to medfund_worker;
grant select on prepayments to medfund_reader;
alter table prepayments enable row level security;
alter table prepayments force row level security;
create policy all_rows on prepayments to medfund_worker using (true) with check (true);
create policy own_rows on prepayments for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);

-- What became of each of them, step by step, for people. `fen`: what the step is about; `left_fen`: what was out after it.
create table prepayment_steps (
    lane smallint not null,
    ref text not null,
    number integer not null,
    what text not null,
    day date,
    fen bigint not null,
    left_fen bigint not null,
    about text not null,
    primary key (lane, ref, number)
);
grant select, insert on prepayment_steps to medfund_worker;
grant select on prepayment_steps to medfund_reader;
alter table prepayment_steps enable row level security;
alter table prepayment_steps force row level security;
create policy all_rows on prepayment_steps to medfund_worker using (true) with check (true);
create policy own_rows on prepayment_steps for select to medfund_reader using (
    exists (select from prepayments as own where own.lane = prepayment_steps.lane and own.ref = prepayment_steps.ref)
);

-- Plans of grants, each as it was made, and who said yes to it.
create table prepayment_plans (
    plan_ref text not null primary key,
    area text not null,
    year smallint not null,
    hash text not null,
    made_by text not null,
    made_at timestamptz not null,
    replaces text,
    body jsonb not null
);
create table prepayment_approvals (
    plan_ref text not null references prepayment_plans,
    staff_ref text not null,
    role text not null,
    at timestamptz not null,
    primary key (plan_ref, staff_ref)
);
grant select, insert on prepayment_plans, prepayment_approvals to medfund_reader;
alter table prepayment_plans enable row level security;
alter table prepayment_plans force row level security;
create policy own_rows on prepayment_plans to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
alter table prepayment_approvals enable row level security;
alter table prepayment_approvals force row level security;
create policy own_rows on prepayment_approvals to medfund_reader using (
    plan_ref in (select plan_ref from prepayment_plans)
);

-- What is advanced is an open item as well.
create or replace view open_items with (security_invoker = true) as
with owed as (
    select
        lane,
        provider,
        body
    from claims
    union all
    select
        lane,
        provider,
        body
    from recoveries
),

held as (
    select
        owed.lane,
        owed.provider,
        amounts.fund,
        amounts.fen
    from owed, jsonb_each(owed.body -> 'held') as hold (name, by_fund), jsonb_each_text(hold.by_fund) as amounts (fund, fen)
),

items as (
    select
        owed.lane,
        owed.provider,
        kept.account,
        amounts.fund,
        kept.side * amounts.fen::bigint as fen
    from
        owed,
        (
            values ('1104', 'advance', 1), ('1107', 'due', 1), ('2101', 'in_review', -1), ('2102', 'payable', -1),
            ('2103', 'bond', -1)
        ) as kept (account, member, side),
        jsonb_each_text(
            case when jsonb_typeof(owed.body -> kept.member) = 'object' then owed.body -> kept.member else '{}' end
        ) as amounts (fund, fen)
    union all
    select
        lane,
        provider,
        '2108',
        fund,
        -fen::bigint
    from held
    union all
    select
        prepayments.lane,
        prepayments.provider,
        case prepayments.kind when 'BULK' then '1102' else '1101' end,
        amounts.fund,
        amounts.fen::bigint
    from prepayments, jsonb_each_text(prepayments.body -> 'outstanding') as amounts (fund, fen)
)

select
    lane,
    provider,
    account,
    fund,
    sum(fen)::bigint as fen
from items
group by lane, provider, account, fund
having sum(fen) <> 0;

-- migrate:down
create or replace view open_items with (security_invoker = true) as
with owed as (
    select
        lane,
        provider,
        body
    from claims
    union all
    select
        lane,
        provider,
        body
    from recoveries
),

held as (
    select
        owed.lane,
        owed.provider,
        amounts.fund,
        amounts.fen
    from owed, jsonb_each(owed.body -> 'held') as hold (name, by_fund), jsonb_each_text(hold.by_fund) as amounts (fund, fen)
),

items as (
    select
        owed.lane,
        owed.provider,
        kept.account,
        amounts.fund,
        kept.side * amounts.fen::bigint as fen
    from
        owed,
        (
            values ('1104', 'advance', 1), ('1107', 'due', 1), ('2101', 'in_review', -1), ('2102', 'payable', -1),
            ('2103', 'bond', -1)
        ) as kept (account, member, side),
        jsonb_each_text(
            case when jsonb_typeof(owed.body -> kept.member) = 'object' then owed.body -> kept.member else '{}' end
        ) as amounts (fund, fen)
    union all
    select
        lane,
        provider,
        '2108',
        fund,
        -fen::bigint
    from held
)

select
    lane,
    provider,
    account,
    fund,
    sum(fen)::bigint as fen
from items
group by lane, provider, account, fund
having sum(fen) <> 0;
alter table providers drop column since, drop column origin;
drop table prepayment_approvals, prepayment_plans, prepayment_steps, prepayments;
