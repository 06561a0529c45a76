-- name: known
-- What the areas have said of their rules, their people and their funds, as a lane knows it, in the order of the log. Locks:
-- none.
select
    type,
    body
from facts
where lane = $1 and type in ('policy.published.v1', 'staff.mandated.v1', 'fund.figures.published.v1')
order by topic, "offset"

-- name: calendar
-- The notices of working days that a lane knows, besides those that are shipped, in the order of the log. Locks: none.
select body
from facts
where lane = $1 and type = 'calendar.published.v1'
order by topic, "offset"

-- name: today
-- The day that was opened last, in any lane. Locks: none.
select max(opened)
from days
