-- migrate:up

-- What is owed for visitors may be taken for what a provider owes of the area's own, and the other way round: the item stays
-- where it is. Null where both sides of a line have the same counterpart.
alter table journal add column credit_counterpart text;

-- migrate:down
alter table journal drop column credit_counterpart;
