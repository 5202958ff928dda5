{{ config(indexes=[{'columns': ['policy_id', 'customer_id', 'night_number']}]) }}
{%- set bounds = ['enter', 'cut', 'exit'] -%}
with

metrics as (

    select * from {{ ref('int_metrics_gathered') }}

),

policies as (

    select * from {{ ref('int_policies_applied') }}

),

reached as (

    select * from {{ ref('int_tiers_reached') }}

),

caps as (

    select
        policy_id,
        max(case when best_if_negative then tier_rank end) as negative_rank,
        max(case when best_if_risk then tier_rank end) as risk_rank,
        max(case when given_if_few then tier_rank end) as few_rank

    from {{ ref('tier_ladder') }}
    group by policy_id

),

{# What a risk flag or a loss forbids; the stricter of the two. #}
joined as (

    select
        policies.*,
        metrics.customer_id,
        metrics.risk_flag,
        metrics.is_merged,
        reached.contribution_score,
        reached.score_parts,
        reached.tier_score,
        reached.score_rank,
        reached.ties,
        reached.customers_ranked,
        {% for bound in bounds -%}
            reached.{{ bound }}_rank,
        {% endfor -%}
        caps.few_rank,
        case
            when reached.customer_id is null then 'new'
            when reached.customers_ranked < policies.minimum_customers_ranked
                then 'small_population'
            else 'ranked'
        end as base_rule,
        case
            when
                metrics.risk_flag is not null
                and (
                    metrics.contribution_12m >= 0
                    or caps.risk_rank >= caps.negative_rank
                )
                then 'capped_risk'
            when metrics.contribution_12m < 0 then 'capped_negative'
        end as cap_rule,
        caps.risk_rank,
        caps.negative_rank

    from policies

    inner join metrics
        on policies.business_date = metrics.business_date

    inner join caps
        on policies.policy_id = caps.policy_id

    left join reached
        on
            policies.policy_id = reached.policy_id
            and policies.business_date = reached.business_date
            and metrics.customer_id = reached.customer_id

),

capped as (

    select
        *,
        case cap_rule
            when 'capped_risk' then risk_rank
            when 'capped_negative' then negative_rank
        end as cap_rank

    from joined

),

{# A tier can be held from the night before only if the customer was there that night. #}
judged as (

    select
        *,
        coalesce(
            lag(night_number) over (
                partition by policy_id, customer_id order by night_number
            ) < night_number - 1,
            true
        ) as is_first_night,
    {%- for bound in bounds %}
        case when cap_rank > {{ bound }}_rank then cap_rank else {{ bound }}_rank end
            as capped_{{ bound }}_rank
        {{- ',' if not loop.last }}
    {%- endfor %}

    from capped

)

select * from judged
