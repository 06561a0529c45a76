-- name: refused
-- Refused records without their bytes, in the order of the primary key. Null narrows nothing. Locks: none.
select
    lane,
    topic,
    "offset",
    appended_at,
    reason,
    detail,
    source,
    id,
    type,
    area,
    party
from quarantine
where
    lane = any($1::smallint [])
    and (
        $2::text [] is null
        or coalesce(area, '') = any($2)
        or party = any($3)
        or party in (select provider from providers where area = any($2))
    )
    and ($3::text [] is null or party = any($3))
    and ($4::text [] is null or source = any($4))
    and ($5::text is null or reason = $5)
    and ($6::text is null or topic = $6)
    and ($7::timestamptz is null or appended_at >= $7)
    and ($8::smallint is null or (lane, topic, "offset") > ($8, $9::text, $10::bigint))
order by lane, topic, "offset"
limit $11::int

-- name: reasons
-- How many ids each reason refused and how many in all (null), under the same filters, and how often they came. What has
-- no id that could be read counts by itself. Locks: none.
select
    reason,
    count(distinct coalesce(encode(identity, 'hex'), concat_ws(' ', lane, topic, "offset"))) as events,
    count(*) as deliveries
from quarantine
where
    lane = any($1::smallint [])
    and (
        $2::text [] is null
        or coalesce(area, '') = any($2)
        or party = any($3)
        or party in (select provider from providers where area = any($2))
    )
    and ($3::text [] is null or party = any($3))
    and ($4::text [] is null or source = any($4))
    and ($5::text is null or reason = $5)
    and ($6::text is null or topic = $6)
    and ($7::timestamptz is null or appended_at >= $7)
group by grouping sets ((reason), ())
order by reason

-- name: record
-- One refused record with its bytes; of one that was refused for its size, the beginning. Locks: none.
select
    lane,
    topic,
    "offset",
    appended_at,
    reason,
    detail,
    source,
    id,
    type,
    area,
    party,
    substring(key for $7::int) as key,
    substring(value for $7::int) as value,
    octet_length(key) as key_bytes,
    octet_length(value) as value_bytes,
    cardinality(header_names) as header_count,
    array(select substring(name for 1024) from unnest(header_names[1:$8::int]) as name) as header_names,
    array(select substring(value for 8192) from unnest(header_values[1:$8::int]) as value) as header_values
from quarantine
where
    lane = $1
    and topic = $2
    and "offset" = $3
    and (
        $4::text [] is null
        or coalesce(area, '') = any($4)
        or party = any($5)
        or party in (select provider from providers where area = any($4))
    )
    and ($5::text [] is null or party = any($5))
    and ($6::text [] is null or source = any($6))
