-- migrate:up

-- What a fund took over of another one's is owed to it.
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
            ('STATEMENT', '1103', 'recovered', -1), ('STATEMENT', '1103', 'taken_over', 1),
            ('STATEMENT', '1103', 'given_there', -1), ('DEBT', '1109', 'due', 1)
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
