{#- Warnings that are on, and the grace that a policy gives for them: raised tonight, or in
    a replay as the receipts say. -#}
with
{% if is_replay() -%}
    warnings as (
        select
            business_date,
            customer_id,
            warning_codes
        from {{ published_table('tier_decision') }}
        where
            warning_codes is not null
            and business_date between {{ replay_from() }} and {{ replay_to() }}
    ),
{%- else -%}
    codes as (
        select
            customer_id,
            signal as warning_code
        from {{ ref('int_warnings_raised') }}

        union

        select
            customer_id,
            cause_code as warning_code
        from {{ ref('int_warnings_explained') }}
        where cause_code is not null
    ),

    warnings as (
        select
            {{ business_date() }} as business_date,
            customer_id,
            {{ dbt.listagg('warning_code', "','", 'order by warning_code') }}
                as warning_codes
        from codes
        group by customer_id
    ),
{%- endif %}

policies as (select * from {{ ref('int_policies_applied') }}),
rules as (select * from {{ ref('int_graces_in_force') }}),

{# The longest grace counts; several are not added up. #}
ranked as (
    select
        policies.policy_id,
        policies.business_date,
        warnings.customer_id,
        warnings.warning_codes,
        rules.warning_code as grace_cause,
        coalesce(rules.nights, 0) as grace_nights,
        row_number() over (
            partition by
                policies.policy_id, policies.business_date, warnings.customer_id
            order by coalesce(rules.nights, 0) desc, rules.warning_code
        ) as longest_first
    from policies
    inner join warnings on policies.business_date = warnings.business_date
    left join rules
        on
            policies.policy_id = rules.policy_id
            and policies.business_date = rules.business_date
            and ',' || warnings.warning_codes || ','
            like '%,' || rules.warning_code || ',%'
),

granted as (
    select
        policy_id,
        business_date,
        customer_id,
        warning_codes,
        grace_cause,
        grace_nights
    from ranked
    where longest_first = 1
)

select * from granted
