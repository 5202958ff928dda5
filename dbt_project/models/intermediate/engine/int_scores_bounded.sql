{%- set bounds = ['enter', 'exit'] -%}
{%- set amounts = ['contribution', 'net_revenue'] -%}
with

scores as (

    select * from {{ ref('int_scores_distributed') }}

),

cuts as (

    select
        tier_cuts.*,
        tier_ladder.tier_rank

    from {{ ref('tier_cuts') }} as tier_cuts

    inner join {{ ref('tier_ladder') }} as tier_ladder
        on
            tier_cuts.policy_id = tier_ladder.policy_id
            and tier_cuts.tier = tier_ladder.tier

),

{# The lowest score that meets a bound of a share: a better one has fewer above. #}
met as (

    select
        cuts.policy_id,
        scores.business_date,
        cuts.tier_rank,
        cuts.axis
        {%- for bound in bounds %},
        cuts.{{ bound }}_at,
        min(
            case
                when
                    (
                        cuts.axis = 'customer_share'
                        and scores.customer_share_above < cuts.{{ bound }}_at
                    )
                    or (
                        cuts.axis = 'profit_share'
                        and scores.profit_share_above < cuts.{{ bound }}_at
                    )
                    then scores.tier_score
                when cuts.axis = 'score' then ceil(cuts.{{ bound }}_at)
            end
        ) as {{ bound }}_score
        {%- endfor %}

    from cuts

    inner join scores
        on cuts.policy_id = scores.policy_id

    group by
        cuts.policy_id,
        scores.business_date,
        cuts.tier_rank,
        cuts.axis,
        cuts.enter_at,
        cuts.exit_at

),

{# A tier with several cuts asks for all of them. #}
bounded as (

    select
        policy_id,
        business_date,
        tier_rank
        {%- for bound in bounds %},
        cast(max({{ bound }}_score) as integer) as {{ bound }}_score,
        {%- for amount in amounts %}
        max(case when axis = '{{ amount }}' then {{ bound }}_at end)
            as {{ bound }}_{{ amount }},
        {%- endfor %}
        max(
            case
                when {{ bound }}_score is null and axis like '%share' then 1
                else 0
            end
        ) = 1 as is_{{ bound }}_out_of_reach
        {%- endfor %}

    from met
    group by
        policy_id,
        business_date,
        tier_rank

)

select * from bounded
