-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- A supplier is the counterpart of lines and balances in any lane: they are found by it, and not by a scan of all lanes. Most
-- rows have none.
create index buckets_by_counterpart on buckets (counterpart, lane, party, account, book, fund, area)
where counterpart <> '';
create index journal_by_counterpart on journal (counterpart, lane, party, recorded_date, topic, first_offset, ordinal)
where counterpart <> '';
create index journal_by_credit_counterpart
on journal (credit_counterpart, lane, party, recorded_date, topic, first_offset, ordinal)
where credit_counterpart <> '';

-- Whose the credit side of a line is sees it too.
alter policy own_rows on journal using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
        or credit_counterpart = any((select scope('organisations'))::text [])
    )
);

-- migrate:down
alter policy own_rows on journal using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or party = any((select scope('organisations'))::text [])
        or counterpart = any((select scope('organisations'))::text [])
    )
);
drop index journal_by_credit_counterpart, journal_by_counterpart, buckets_by_counterpart;
