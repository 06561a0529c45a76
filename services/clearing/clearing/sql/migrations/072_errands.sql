-- migrate:up

-- What the bank process has to do yet: a lane adds a run that it has decided, and a suspense item that was placed as
-- something of a provider or of another lane; the bank process takes out what went out, or was told. So neither looks, each
-- second, at all that ever was.
create table errands (
    what text not null,
    lane smallint not null,
    ref text not null,
    primary key (what, lane, ref),
    constraint errand_is_known check (what in ('RUN', 'ITEM'))
);
grant select, insert on errands to medfund_worker;
grant select, delete on errands to medfund_bank;

-- Row security is off while rows are read, for their owner has no scope; it is on again at the end. What is done already the
-- bank process finds out once.
alter table facts no force row level security;
alter table suspense no force row level security;
insert into errands (what, lane, ref)
select distinct
    'RUN',
    lane,
    body ->> 'run_ref'
from facts
where type = 'payment.run.opened.v1';
insert into errands (what, lane, ref)
select
    'ITEM',
    lane,
    item_ref
from suspense
where
    not is_open
    and (
        body ->> 'placed_as' in ('PAYMENT', 'RETURN', 'RECOVERY', 'PREPAYMENT')
        or (body ? 'target_lane' and body ->> 'direction' = 'OUT')
    );
alter table suspense force row level security;
alter table facts force row level security;

-- migrate:down
drop table errands;
