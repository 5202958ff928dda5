{{ config(indexes=[{'columns': ['policy_id', 'customer_id', 'night_number']}]) }}
{%- set bounds = ['enter', 'cut', 'exit'] -%}
with
capped as (select * from {{ ref('int_customers_capped') }}),
reached as (select * from {{ ref('int_tiers_reached') }}),
graces as (select * from {{ ref('int_graces_granted') }}),

joined as (
    select
        capped.*,
        {{ listed(['contribution_score', 'score_parts', 'tier_score', 'score_rank', 'ties',
            'customers_ranked', 'enter_rank', 'cut_rank', 'exit_rank'], 'reached') }},
        graces.warning_codes,
        graces.grace_cause,
        coalesce(graces.grace_nights, 0) as grace_nights,
        case
            when reached.customer_id is null then 'new'
            when reached.customers_ranked < capped.minimum_customers_ranked
                then 'small_population'
            else 'ranked'
        end as base_rule
    from capped
    left join reached
        on
            capped.policy_id = reached.policy_id
            and capped.business_date = reached.business_date
            and capped.customer_id = reached.customer_id
    left join graces
        on
            capped.policy_id = graces.policy_id
            and capped.business_date = graces.business_date
            and capped.customer_id = graces.customer_id
),

numbered as (
    select
        *,
        lag(night_number) over (
            partition by policy_id, customer_id order by night_number
        ) as newest_number
    from joined
),

{# A tier can be held from the night before only if the customer was there that night, or
   comes back out of another that it was merged into. #}
judged as (
    select
        *,
        case
            when newest_number = night_number - 1 or is_merged then newest_number
        end as night_number_before,
    {%- for bound in bounds %}
        case when cap_rank > {{ bound }}_rank then cap_rank else {{ bound }}_rank end
            as capped_{{ bound }}_rank
        {{- ',' if not loop.last }}
    {%- endfor %}
    from numbered
)

select * from judged
