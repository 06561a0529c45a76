-- migrate:up

-- What people know a provider by; not told of those that were registered until now, as it is when the log is read again.
alter table providers add column name text, add column account_ref text, add column account_ends text;

-- migrate:down
alter table providers drop column name, drop column account_ref, drop column account_ends;
