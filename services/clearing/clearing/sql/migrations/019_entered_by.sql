-- migrate:up

-- Nobody was named who entered an account until now; a row says so, as it does when the log is read again.
alter table payees no force row level security;
update payees set body = body || '{"entered_by": null}';
alter table payees force row level security;

-- migrate:down
alter table payees no force row level security;
update payees set body = body - 'entered_by';
alter table payees force row level security;
