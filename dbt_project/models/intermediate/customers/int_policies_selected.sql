with
policies as (select * from {{ ref('int_policies_dated') }}),

in_force as (
    select
        measured_as,
        business_date
    from {{ ref('int_policies_in_force') }}
    where role = 'leading'
),

dated as (
    select
        policies.policy_id,
        policies.rollup_level,
        in_force.business_date,
        policies.loyalty_minimum_orders,
        {{ months_before('policies.window_months', 'in_force.business_date') }}
            as window_start_date,
        {{ months_before('2 * policies.window_months', 'in_force.business_date') }}
            as window_before_start_date,
        {{ months_before('policies.loyalty_months', 'in_force.business_date') }}
            as loyalty_start_date
    from in_force
    inner join policies on in_force.measured_as = policies.policy_id
)

select * from dated
