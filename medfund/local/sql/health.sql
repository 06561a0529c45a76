-- name: lanes
-- How many lanes a service has, how many of them a living worker works, and how many stopped. Locks: none.
select
    count(*) as lanes,
    count(*) filter (where leased_until > now() and stopped_reason is null) as worked,
    count(stopped_reason) as stopped
from lanes
