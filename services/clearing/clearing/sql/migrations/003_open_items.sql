-- migrate:up

-- What a provider is owed and owes by what was decided, as the accounts of the books show it: debit less credit, in fen.
-- The books' control accounts must be the same, which is what `medfund verify` compares.
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

-- How many decisions are on their way to the log, and nothing of what they say.
create view undelivered as
select
    lane,
    count(*) as decisions
from outbox
group by lane;

grant select on open_items, undelivered to medfund_reader;

-- migrate:down
drop view undelivered, open_items;
