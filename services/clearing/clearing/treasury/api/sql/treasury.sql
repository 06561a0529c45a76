-- name: requests
-- What was asked of the treasury, by the day it is needed on, with what came of it: transfers to the expenditure account
-- under the request's name, and what was in suspense and was placed as such a one. Null narrows nothing; what is open has
-- not come in full, in some fund. Locks: none.
with requests as (
    select
        asked.lane,
        asked."offset",
        asked.body,
        asked.body ->> 'needed_on' as needed_on,
        coalesce((
            select
                jsonb_agg(
                    jsonb_build_object(
                        'bank_txn', came.bank_txn, 'value_date', came.value_date, 'fund', came.fund, 'fen', came.fen
                    )
                    order by came.value_date, came.bank_txn, came.fund
                )
            from (
                select
                    moves.bank_txn,
                    moves.value_date,
                    moves.fund,
                    moves.fen
                from moves
                where
                    moves.area = asked.body ->> 'area'
                    and moves.ref = asked.body ->> 'request_ref'
                    and moves.bank_account = $4
                union all
                select
                    item.body ->> 'bank_txn',
                    (item.body ->> 'value_date')::date,
                    part.fund,
                    part.fen::numeric
                from suspense as item
                cross join lateral jsonb_each_text(item.body -> 'amounts') as part (fund, fen)
                where
                    item.area = asked.body ->> 'area'
                    and item.body ->> 'target' = asked.body ->> 'request_ref'
                    and item.body ->> 'placed_as' = 'FISCAL'
                    and (item.body ->> 'direction' = 'IN') = (item.body ->> 'bank_account' = $4)
            ) as came
        ), '[]') as receipts
    from facts as asked
    where
        asked.type = 'treasury.funds.requested.v1'
        and asked.lane = any($1::smallint [])
        and ($2::text [] is null or asked.body ->> 'area' = any($2))
        and ($3::text is null or asked.name = $3)
)

select
    requests.lane,
    requests."offset",
    requests.needed_on,
    requests.body,
    requests.receipts
from requests
cross join lateral (
    select
        bool_or(
            part.amount::numeric * 100 > coalesce((
                select sum((receipt ->> 'fen')::numeric)
                from jsonb_array_elements(requests.receipts) as receipt
                where receipt ->> 'fund' = part.fund
            ), 0)
        ) as is_open
    from jsonb_each_text(requests.body -> 'amounts') as part (fund, amount)
) as outcome
where
    ($5::boolean is null or outcome.is_open = $5)
    and ($6::text is null or (requests.needed_on, requests.lane, requests."offset") > ($6, $7::smallint, $8::bigint))
order by requests.needed_on, requests.lane, requests."offset"
limit $9::int
