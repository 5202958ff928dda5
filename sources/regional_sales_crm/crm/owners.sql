-- Managers are known by name only, so their names are their numbers.
select
    SystemUserSeq as owner_id,
    Owner as name,
    Manager as manager_id
from Owners
union all
select distinct
    Manager as owner_id,
    Manager as name,
    null as manager_id
from Owners
