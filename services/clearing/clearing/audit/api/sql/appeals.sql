-- name: finding
-- Whether a batch of a provider has a finding. Locks: none.
select true as found
from findings
where lane = $1 and provider = $2 and batch = $3 and finding_ref = $4
