-- name: record
-- Before a command is carried out, and for each refusal of a known caller. Committed by itself. Locks: none beyond
-- the new row.
insert into audit (id, at, subject, role, operation, outcome, detail)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)

-- name: rows
-- What was asked and what was refused, the newest first. Ids begin with their time, so that a stretch of days is a stretch
-- of the primary key. An object is whatever the detail names. Locks: none.
select
    id::text as id,
    at,
    subject,
    role,
    operation,
    outcome,
    detail
from audit
where
    ($1::text is null or id >= $1::text::uuid)
    and ($2::text is null or id < $2::text::uuid)
    and ($3::text is null or lower(subject) = lower($3))
    and ($4::text is null or operation = $4)
    and ($5::text is null or outcome = $5)
    and (
        $6::text is null
        or jsonb_path_exists(detail, '$.** ? (@ == $wanted)', jsonb_build_object('wanted', $6::text))
    )
    and ($7::text is null or id < $7::text::uuid)
order by audit.id desc
limit $8::int
