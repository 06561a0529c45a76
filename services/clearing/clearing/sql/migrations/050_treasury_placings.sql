-- migrate:up

-- What was in suspense and turned out to be money that the treasury was asked for counts for its request.
-- squawk-ignore require-concurrent-index-creation
create index suspense_of_treasury on suspense (area, (body ->> 'target')) where body ->> 'placed_as' = 'FISCAL';

-- migrate:down
drop index suspense_of_treasury;
