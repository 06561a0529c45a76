-- migrate:up

-- Of a provider that nobody has registered, the area is the one that its event names. Row security is off while rows are
-- touched, for their owner has no scope; it is on again at the end.
alter table quarantine no force row level security;
update quarantine
set area = convert_from(value, 'UTF8')::json ->> 'area'
where reason = 'unknown_provider' and area is null;
alter table quarantine force row level security;

-- migrate:down
alter table quarantine no force row level security;
update quarantine set area = null
where reason = 'unknown_provider';
alter table quarantine force row level security;
