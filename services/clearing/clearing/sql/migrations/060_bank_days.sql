-- migrate:up

-- The bank process waits with a file until the lanes have opened its day.
grant select on days to medfund_bank;

-- migrate:down
revoke select on days from medfund_bank;
