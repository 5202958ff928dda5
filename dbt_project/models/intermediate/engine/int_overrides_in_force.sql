with
overrides as (
    select
        customer_id,
        tier,
        valid_from,
        valid_until,
        reason,
        approver
    from {{ ref('tier_overrides') }}
    where source = '{{ var("source") }}'

    union all

    select * from {{ ref('stg_ops__tier_overrides') }}
),

nights as (
    select distinct business_date
    from {{ ref('int_policies_applied') }}
),

dated as (
    select
        overrides.*,
        nights.business_date,
        row_number() over (
            partition by nights.business_date, overrides.customer_id
            order by
                overrides.valid_from desc, overrides.valid_until desc, overrides.tier asc
        ) as newest_first
    from nights
    inner join overrides
        on nights.business_date between overrides.valid_from and overrides.valid_until
),

in_force as (
    select
        business_date,
        customer_id,
        tier,
        valid_until,
        reason,
        approver
    from dated
    where newest_first = 1
)

select * from in_force
