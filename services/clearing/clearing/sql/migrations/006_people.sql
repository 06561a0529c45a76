-- migrate:up

-- A command about a whole area has no provider; one that goes to every lane has no lane. `asked` is what was asked where
-- the event says more than that.
-- squawk-ignore ban-drop-not-null
alter table commands alter column lane drop not null;
-- squawk-ignore ban-drop-not-null
alter table commands alter column provider drop not null;
alter table commands add column asked jsonb;

-- Runs that withheld it, in `body`: few payments ever are.
alter table payments add column withheld boolean not null default false;
-- squawk-ignore require-concurrent-index-creation
create index payments_withheld on payments (area, fund) where withheld;

-- What is to be paid still, in the order of due days: work queues do not read what was paid in years.
-- squawk-ignore require-concurrent-index-creation
create index payments_to_pay on payments ((body ->> 'due'), lane, payment_ref)
where status in ('ORDERED', 'APPROVED', 'SENT') or to_retry;
-- squawk-ignore require-concurrent-index-creation
create index facts_of_type on facts (type, lane, topic, "offset");
-- squawk-ignore require-concurrent-index-creation
create index moves_by_ref on moves (area, ref);

-- What a whole area sends, and asks of the treasury, is for those who speak for all of it.
alter policy own_rows on facts using (
    (
        (select '*' = any(scope('areas')))
        or body ->> 'area' = any((select scope('areas'))::text [])
        or (body ->> 'area' is null and (select scope('areas')) is not null)
    )
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or (
            provider is null and (select scope('organisations')) is not null
            and type not in ('payment.run.opened.v1', 'treasury.funds.requested.v1')
        )
    )
);

-- migrate:down
alter policy own_rows on facts using (
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
drop index moves_by_ref, facts_of_type, payments_to_pay, payments_withheld;
alter table payments drop column withheld;
delete from commands where lane is null or provider is null;
alter table commands drop column asked, alter column provider set not null, alter column lane set not null;
