-- name: set_scope
-- First statement of every reading transaction: what its row-level security lets it see, until it ends. Locks: none.
select
    set_config('medfund.areas', array_to_string($1::text [], ','), true),
    set_config('medfund.organisations', array_to_string($2::text [], ','), true),
    set_config('medfund.sources', array_to_string($3::text [], ','), true),
    set_config('statement_timeout', $4::text, true)
