{#- The window of the night before as it is known now, beside the window of this night. -#}
with
policy as (select * from {{ ref('int_policies_selected') }}),

{# One night under one policy; with a maximum a planner knows that it is one row. #}
window_before as (
    select
        max(remembered.business_date) as business_date,
        max(
            {{ months_before('policies.window_months', 'remembered.business_date') }}
        ) as window_start_date
    from {{ ref('stg_bi__tier_decisions') }} as remembered
    inner join {{ ref('int_policies_dated') }} as measured
        on remembered.policy_id = measured.policy_id
    inner join {{ ref('int_policies_dated') }} as policies
        on measured.measured_as = policies.policy_id
),

windows as (
    select
        policy.policy_id,
        policy.business_date,
        policy.window_start_date,
        policy.window_before_start_date,
        policy.loyalty_start_date,
        window_before.business_date as before_date,
        window_before.window_start_date as before_start_date,
        least(policy.window_start_date, window_before.window_start_date) as start_date
    from policy
    left join window_before on policy.business_date > window_before.business_date
)

select * from windows
