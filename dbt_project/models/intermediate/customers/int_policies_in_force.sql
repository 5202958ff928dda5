with
policies as (
    select
        *,
        {{ business_date() }} as business_date
    from {{ ref('tier_policies') }}
),

{# The latest one leads. #}
newest as (
    select max(valid_from) as valid_from
    from policies
    where
        role = 'leading'
        and valid_from <= business_date
),

in_force as (
    select policies.*
    from policies
    inner join newest
        on
            policies.role = 'beside'
            or policies.valid_from = newest.valid_from
    where
        policies.role in ('leading', 'beside')
        and policies.valid_from <= policies.business_date
)

select * from in_force
