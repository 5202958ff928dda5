{%- set bounds = ['enter', 'cut', 'exit'] -%}
{%- set columns = [
    'policy_id', 'business_date', 'customer_id', 'contribution_score', 'score_parts',
    'tier_score', 'score_rank', 'ties', 'customers_ranked'
] -%}
with
customers as (select * from {{ ref('int_customers_scored') }}),
scores as (select * from {{ ref('int_scores_distributed') }}),
metrics as (select * from {{ ref('int_metrics_gathered') }}),

cuts as (
    select
        tier_cuts.*,
        tier_ladder.tier_rank
    from {{ ref('int_cuts_in_force') }} as tier_cuts
    inner join {{ ref('int_ladders_in_force') }} as tier_ladder
        on
            tier_cuts.policy_id = tier_ladder.policy_id
            and tier_cuts.business_date = tier_ladder.business_date
            and tier_cuts.tier = tier_ladder.tier
),

placed as (
    select
        customers.*,
        scores.ties,
        scores.score_rank,
        scores.customers_ranked,
        scores.customer_share_above,
        scores.profit_share_above,
        metrics.contribution_12m,
        metrics.net_revenue_12m
    from customers
    inner join scores
        on
            customers.policy_id = scores.policy_id
            and customers.business_date = scores.business_date
            and customers.tier_score = scores.tier_score
    inner join metrics
        on
            customers.business_date = metrics.business_date
            and customers.customer_id = metrics.customer_id
),

lowest as (
    select
        policy_id,
        business_date,
        max(tier_rank) as tier_rank
    from {{ ref('int_ladders_in_force') }}
    group by policy_id, business_date
),

{# Who has few enough above, or an amount that is large enough, meets a cut: ties and the
   customer that crosses it are in. A tier with several cuts asks for all of them. #}
met as (
    select
        placed.*,
        lowest.tier_rank as lowest_rank,
        cuts.tier_rank,
    {%- for bound in bounds %}
        min({{ meets_cut('placed', 'cuts.' ~ bound ~ '_at') }}) over (
            partition by
                placed.policy_id,
                placed.business_date,
                placed.customer_id,
                cuts.tier_rank
            ) as is_met_to_{{ bound }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    from placed
    inner join lowest
        on
            placed.policy_id = lowest.policy_id
            and placed.business_date = lowest.business_date
    left join cuts
        on
            placed.policy_id = cuts.policy_id
            and placed.business_date = cuts.business_date
),

reached as (
    select
        {{ columns | join(',\n        ') }},
    {%- for bound in bounds %}
        coalesce(
            min(case when is_met_to_{{ bound }} = 1 then tier_rank end),
            max(lowest_rank)
        ) as {{ bound }}_rank
        {{- ',' if not loop.last }}
    {%- endfor %}
    from met
    group by
        {{ columns | join(',\n        ') }}
)

select * from reached
