-- migrate:up

-- A bucket has no limit: it adds up a day of a provider, each of whose settlements may be the largest amount there is.
-- squawk-ignore changing-column-type
alter table buckets alter column debit type numeric;
-- squawk-ignore changing-column-type
alter table buckets alter column credit type numeric;

-- migrate:down
-- squawk-ignore changing-column-type
alter table buckets alter column debit type bigint;
-- squawk-ignore changing-column-type
alter table buckets alter column credit type bigint;
