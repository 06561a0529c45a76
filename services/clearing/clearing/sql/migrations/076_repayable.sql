-- migrate:up

-- What providers pay back in cash, and as what people place it: a kind of payable that is paid back has its part here.
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

-- migrate:down
drop view repayable;
