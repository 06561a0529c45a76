-- name: record
-- Before a command is carried out, and for each refusal of a known caller. Committed by itself. Locks: none beyond
-- the new row.
insert into audit (id, at, subject, role, operation, outcome, detail)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
