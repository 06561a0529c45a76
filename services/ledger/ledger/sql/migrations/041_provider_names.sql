-- migrate:up

-- What people know a provider by; not told of those that were registered until now, as it is when the log is read again.
alter table providers add column name text;

-- migrate:down
alter table providers drop column name;
