-- migrate:up

-- What is asked about a supplier is its own as it is the provider's; nobody adds a row that is neither of what its caller
-- speaks for.
alter policy own_rows on commands using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or body ->> 'supplier' = any((select scope('organisations'))::text [])
    )
);

-- Whoever sees a command sees why its event was refused, whosever lane it went to.
alter policy own_rows on quarantine using (
    (
        ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
        and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    )
    or exists (select from commands where commands.id = quarantine.id)
);

-- migrate:down
alter policy own_rows on quarantine using (
    ((select '*' = any(scope('organisations'))) or party = any((select scope('organisations'))::text []))
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or exists (select from commands where commands.id = quarantine.id)
    )
);
alter policy own_rows on commands using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);
