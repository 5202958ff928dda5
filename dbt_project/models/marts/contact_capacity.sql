with
classes as (select * from {{ ref('customer_class') }}),
preferences as (select * from {{ ref('int_preferences_measured') }}),

plans as (
    {{ rows_in_force(ref('capacity_shares')) }}
),

grouped as (
    select
        classes.customer_id,
        coalesce(preferences.contacts_12m, 0) as contacts_12m,
        case
            when classes.abc_class <> 'A' and classes.potential_class = 'high' then 'risers'
            else classes.abc_class
        end as customer_group
    from classes
    left join preferences on classes.customer_id = preferences.customer_id
),

{# Every group has its row, an empty one too. #}
counted as (
    select
        plans.customer_group,
        plans.planned_share,
        cast(count(grouped.customer_id) as integer) as customers,
        cast(coalesce(sum(grouped.contacts_12m), 0) as integer) as contacts_12m
    from plans
    left join grouped on plans.customer_group = grouped.customer_group
    group by plans.customer_group, plans.planned_share
),

shared as (
    select
        {{ business_date() }} as business_date,
        *,
        cast(
            1.0 * contacts_12m / nullif(sum(contacts_12m) over (), 0) as numeric(5, 4)
        ) as contact_share
    from counted
)

select
    *,
    contact_share < planned_share as is_short
from shared
