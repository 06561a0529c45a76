-- name: suspense
-- Bank money that nobody could place, the oldest first. Null narrows nothing. Locks: none.
select
    lane,
    item_ref,
    body,
    body ->> 'value_date' as value_date
from suspense
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::boolean is null or is_open = $3)
    and ($4::text is null or body -> 'amounts' ? $4)
    and ($5::text is null or (body ->> 'value_date', lane, item_ref) > ($5, $6::smallint, $7::text))
order by body ->> 'value_date', lane, item_ref
limit $8::int
