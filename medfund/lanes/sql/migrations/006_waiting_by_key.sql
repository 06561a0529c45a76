-- migrate:up

-- What waits is looked up a few facts at a time: the next ones of a key, and those that come again.
-- squawk-ignore require-concurrent-index-creation
create index waiting_by_key on waiting (lane, key, topic, appended_at, "offset");
-- squawk-ignore require-concurrent-index-creation
create index waiting_by_identity on waiting (lane, identity);

-- migrate:down
drop index waiting_by_key, waiting_by_identity;
