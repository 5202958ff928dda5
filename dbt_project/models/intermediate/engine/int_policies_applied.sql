{#- Which policies judge which nights: tonight's, or in a replay every night asked for. Where
    the leading one was edited in place, its rows of the night before judge tonight as well. -#}
{%- set numbers = {
    'minimum_orders': 'integer', 'minimum_customers_ranked': 'integer',
    'confirm_up_nights': 'integer', 'confirm_down_nights': 'integer', 'dwell_days': 'integer',
    'steps_down': 'integer', 'minimum_tenure_months': 'integer',
    'minimum_data_confidence': 'numeric(5, 4)'
} -%}
{%- set columns = numbers.keys() | join(',\n            ') -%}
-- depends_on: {{ ref('tier_policies') }}
with
{% if is_replay() -%}
    nights as (
        select distinct business_date
        from {{ published_table('tier_decision') }}
        where business_date between {{ replay_from() }} and {{ replay_to() }}
    ),

    policies as (
        select
            policies.*,
            nights.business_date,
            row_number() over (
                partition by policies.policy_id, nights.business_date
                order by policies.valid_from desc
            ) as newest_first
        from {{ ref('tier_policies') }} as policies
        inner join nights on {{ holds_in_replay('policies', 'nights') }}
        where {{ leads('policies') }}
    ),

    applied as (
        select
            policy_id,
            'leading' as role,
            policy_id as remembered_policy_id,
            business_date,
            {{ columns }}
        from policies
        where newest_first = 1
    ),
{%- else -%}
    edited as (
        select policy_id
        from {{ ref('int_policies_versioned') }}
        where role = 'leading' and is_edited
    ),

    applied as (
        select
            policy_id,
            role,
            policy_id as remembered_policy_id,
            business_date,
            {{ columns }}
        from {{ ref('int_policies_in_force') }}

        union all

        select
            concat(published.policy_id, ' before') as policy_id,
            'before' as role,
            published.policy_id as remembered_policy_id,
            {{ business_date() }} as business_date,
            {{ published_values('published', numbers) }}
        from {{ ref('stg_bi__policies') }} as published
        inner join edited on published.policy_id = edited.policy_id
        where
            published.business_date = published.last_night
            and published.seed = 'tier_policies'
            and published.row_key = published.policy_id
    ),
{%- endif %}

dated as (
    select
        policy_id,
        role,
        remembered_policy_id,
        business_date,
        minimum_orders,
        minimum_customers_ranked,
        confirm_up_nights,
        confirm_down_nights,
        dwell_days,
        steps_down,
        minimum_data_confidence,
        {{ months_before('minimum_tenure_months', 'business_date') }}
            as latest_first_sale_date,
        dense_rank() over (partition by policy_id order by business_date) as night_number
    from applied
)

select * from dated
