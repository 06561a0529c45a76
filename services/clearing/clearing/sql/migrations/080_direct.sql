-- migrate:up

-- What suppliers are paid on hospitals' behalf: statements with their lines, what hospitals get back for red letters, what
-- suppliers owe. `supplier` is empty where a row is the hospital's alone.
create table direct (
    lane smallint not null,
    provider text not null,
    ref text not null,
    area text not null,
    supplier text not null,
    kind text not null,
    is_open boolean not null,
    to_order boolean not null,
    is_owed boolean not null,
    body jsonb not null,
    lines jsonb,
    primary key (lane, provider, ref),
    constraint whose_it_is check (
        (body -> 'dimensions' ->> 'provider', body -> 'dimensions' ->> 'area', body ->> 'ref') = (provider, area, ref)
    )
);
create index direct_open on direct (lane, provider) where is_open;
create index direct_to_order on direct (lane, provider) where to_order;
create index direct_of_supplier on direct (supplier, lane, provider, ref);
create index direct_by_name on direct (ref, provider);
grant select, insert on direct to medfund_worker;
grant update (is_open, to_order, is_owed, body, lines) on direct to medfund_worker;
grant select on direct to medfund_reader, medfund_bank;
alter table direct enable row level security;
alter table direct force row level security;
create policy all_rows on direct to medfund_worker using (true) with check (true);
create policy banks_rows on direct for select to medfund_bank using (true);
create policy own_rows on direct for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

-- What hospitals owed for suppliers when the books began is taken from them like any other item. Under which policy it was
-- taken over was not kept: it is the last one that was published for its area. Row security is off while rows are read, for
-- their owner has no scope; it is on again at the end.
alter table openings no force row level security;
alter table facts no force row level security;
alter table direct no force row level security;
insert into direct (lane, provider, ref, area, supplier, kind, is_open, to_order, is_owed, body)
select
    opening.lane,
    opening.provider,
    opening.ref,
    opening.area,
    '',
    'STATEMENT',
    true,
    false,
    false,
    jsonb_build_object(
        'ref', opening.ref, 'policy_ref', policy.hash, 'opened', -1, 'cut_off', '2025-12-31', 'payable', '{}'::jsonb,
        'dimensions', jsonb_build_object(
            'provider', opening.provider, 'area', opening.area, 'insured_area', opening.area,
            'insutype', '310', 'clr_type', 'ZJ', 'benefit_year', 2025, 'advanced', '[]'::jsonb
        ),
        'supplier', '', 'statement_ref', opening.ref, 'due_on', '2025-12-31',
        'funds', (select jsonb_agg(fund order by fund) from jsonb_object_keys(opening.body -> 'amounts') as fund),
        'supplied', opening.body -> 'amounts', 'charged', opening.body -> 'amounts'
    )
from openings as opening
cross join lateral (
    select facts.body ->> 'hash' as hash
    from facts
    where
        facts.lane = opening.lane and facts.type = 'policy.published.v1'
        and facts.body ->> 'area' = opening.area
    order by facts."offset" desc
    limit 1
) as policy
where opening.account = '1103';
alter table direct force row level security;
alter table facts force row level security;
alter table openings force row level security;

-- What they pay back in cash.
create or replace view repayable with (security_invoker = true) as
select
    lane,
    provider,
    ref,
    area,
    null as fund,
    'RECOVERY' as placed_as,
    body -> 'dimensions' as dimensions,
    body
from recoveries
union all
select
    lane,
    provider,
    ref,
    area,
    fund,
    'PREPAYMENT',
    body -> 'dimensions',
    body
from prepayments
union all
select
    lane,
    provider,
    ref,
    area,
    null,
    case kind when 'DEBT' then 'REFUND' else 'SHORTFALL' end,
    body -> 'dimensions',
    body
from direct
where kind in ('STATEMENT', 'DEBT');

-- As the books' accounts show it; what is a supplier's is also told by supplier, and what the books began with without one
-- by none.
-- squawk-ignore ban-drop-view
drop view open_items;
create view open_items with (security_invoker = true) as
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
    union all
    select
        lane,
        provider,
        body
    from direct
    where kind = 'GIVEN_BACK'
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
        '' as counterpart,
        amounts.fund,
        kept.side * amounts.fen::numeric as fen
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
        '',
        fund,
        -fen::numeric
    from held
    union all
    select
        prepayments.lane,
        prepayments.provider,
        case prepayments.kind when 'BULK' then '1102' else '1101' end,
        '',
        amounts.fund,
        amounts.fen::numeric
    from prepayments, jsonb_each_text(prepayments.body -> 'outstanding') as amounts (fund, fen)
    union all
    select
        direct.lane,
        direct.provider,
        kept.account,
        case kept.account when '1103' then '' else direct.supplier end,
        amounts.fund,
        kept.side * amounts.fen::numeric
    from
        direct,
        (
            values ('STATEMENT', '2105', 'payable', -1), ('STATEMENT', '1103', 'charged', 1),
            ('STATEMENT', '1103', 'recovered', -1), ('DEBT', '1109', 'due', 1)
        ) as kept (kind, account, member, side),
        jsonb_each_text(coalesce(direct.body -> kept.member, '{}')) as amounts (fund, fen)
    where direct.kind = kept.kind
    union all
    select
        openings.lane,
        openings.provider,
        openings.account,
        '',
        amounts.fund,
        case openings.account when '2105' then -1 else 1 end * amounts.fen::numeric
    from openings, jsonb_each_text(openings.body -> 'amounts') as amounts (fund, fen)
    where openings.account in ('1109', '2105')
)

select
    lane,
    provider,
    account,
    counterpart,
    fund,
    sum(fen) as fen
from items
group by lane, provider, account, counterpart, fund
having sum(fen) <> 0;
grant select on open_items to medfund_reader;

-- migrate:down
-- squawk-ignore ban-drop-view
drop view open_items;
create view open_items with (security_invoker = true) as
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
        kept.side * amounts.fen::numeric as fen
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
        -fen::numeric
    from held
    union all
    select
        prepayments.lane,
        prepayments.provider,
        case prepayments.kind when 'BULK' then '1102' else '1101' end,
        amounts.fund,
        amounts.fen::numeric
    from prepayments, jsonb_each_text(prepayments.body -> 'outstanding') as amounts (fund, fen)
)

select
    lane,
    provider,
    account,
    fund,
    sum(fen) as fen
from items
group by lane, provider, account, fund
having sum(fen) <> 0;
grant select on open_items to medfund_reader;
-- squawk-ignore ban-drop-view
drop view repayable;
create view repayable with (security_invoker = true) as
select
    lane,
    provider,
    ref,
    area,
    null as fund,
    'RECOVERY' as placed_as,
    body -> 'dimensions' as dimensions,
    body
from recoveries
union all
select
    lane,
    provider,
    ref,
    area,
    fund,
    'PREPAYMENT',
    body -> 'dimensions',
    body
from prepayments;
grant select on repayable to medfund_bank, medfund_reader;
drop table direct;
