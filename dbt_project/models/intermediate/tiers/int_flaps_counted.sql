{#- Changes there and back: what holding against noise is to prevent. -#}
{%- set columns = ['customer_id', 'business_date', 'policy_id', 'direction', 'cause'] -%}
with
policy as (
    select * from {{ ref('int_policies_in_force') }}
    where role = 'leading'
),

changes as (
    select {{ columns | join(', ') }}
    from {{ ref('stg_bi__tier_changes') }}

    union all

    select {{ columns | join(', ') }}
    from {{ ref('tier_change') }}
),

{# What a person or another policy decided is no flap; nor is it to begin or end as new. #}
steps as (
    select
        changes.*,
        lag(changes.direction) over by_date as direction_before
    from changes
    inner join policy on changes.policy_id = policy.policy_id
    where
        changes.direction in ('up', 'down')
        and changes.cause not in ('policy', 'override')
        and changes.business_date > {{ days_after('-' ~ flap_days(), business_date()) }}
    window by_date as (partition by changes.customer_id order by changes.business_date)
),

counted as (
    select
        policy.policy_id,
        policy.business_date,
        count(steps.customer_id) as changes,
        count(distinct case
            when steps.direction <> steps.direction_before then steps.customer_id
        end) as customers_flapped
    from policy
    left join steps on policy.policy_id = steps.policy_id
    group by policy.policy_id, policy.business_date
)

select * from counted
