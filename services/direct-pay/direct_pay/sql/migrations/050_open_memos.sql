-- migrate:up

-- What is still expected to be paid for orders (9002), and of old arrears is not cleared (9003), by what was decided: in fen,
-- as the memo accounts of the books have it, which is what `medfund verify` compares. In an order's document the memo
-- is the fifth member, and what is left of it the fourth of that; of arrears what is left is the sixth.
create view open_items with (security_invoker = true) as
with kept as (
    select
        lane,
        provider,
        supplier,
        '9002' as account,
        body::jsonb -> 4 -> 3 as by_fund
    from orders
    union all
    select
        lane,
        provider,
        supplier,
        '9003',
        body::jsonb -> 5
    from arrears
)

select
    kept.lane,
    kept.provider,
    kept.account,
    kept.supplier as counterpart,
    amounts.fund,
    sum(amounts.fen::bigint)::bigint as fen
from
    kept,
    jsonb_each_text(case when jsonb_typeof(kept.by_fund) = 'object' then kept.by_fund else '{}' end) as amounts (fund, fen)
group by kept.lane, kept.provider, kept.account, kept.supplier, amounts.fund
having sum(amounts.fen::bigint) <> 0;

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
