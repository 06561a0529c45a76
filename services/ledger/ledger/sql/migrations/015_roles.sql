-- migrate:up

-- Who only reads writes nothing any more, not even who was here: the API has a role of its own, of a group that
-- `medfund prepare` has made.
revoke insert on audit from medfund_reader;
grant insert on audit to medfund_api;

-- migrate:down
revoke insert on audit from medfund_api;
grant insert on audit to medfund_reader;
