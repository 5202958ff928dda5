{#- Which policies judge which nights: tonight's, or in a replay every night asked for. -#}
-- depends_on: {{ ref('tier_policies') }}
with
{% if is_replay() -%}
    nights as (
        select distinct business_date
        from {{ published_table('tier_decision') }}
        where business_date between {{ replay_from() }} and {{ replay_to() }}
    ),

    applied as (
        select
            policies.*,
            nights.business_date
        from {{ ref('tier_policies') }} as policies
        cross join nights
        where {{ leads('policies') }}
    ),
{%- else -%}
    applied as (select * from {{ ref('int_policies_in_force') }}),
{%- endif %}

dated as (
    select
        policy_id,
        {{ "'leading' as role" if is_replay() else 'role' }},
        business_date,
        minimum_orders,
        minimum_customers_ranked,
        confirm_up_nights,
        confirm_down_nights,
        dwell_days,
        steps_down,
        {{ months_before('minimum_tenure_months', 'business_date') }}
            as latest_first_sale_date,
        dense_rank() over (partition by policy_id order by business_date) as night_number
    from applied
)

select * from dated
