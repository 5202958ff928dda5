with
scores as (select * from {{ ref('int_scores_distributed') }}),

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

{# The lowest score that meets a bound of a share: a better one has fewer above. #}
met as (
    select
        cuts.policy_id,
        scores.business_date,
        cuts.tier_rank,
        cuts.axis,
        cuts.enter_at,
        cuts.exit_at,
        min({{ score_at_bound('cuts.enter_at') }}) as enter_score,
        min({{ score_at_bound('cuts.exit_at') }}) as exit_score
    from cuts
    inner join scores
        on
            cuts.policy_id = scores.policy_id
            and cuts.business_date = scores.business_date
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
        tier_rank,
        cast(max(enter_score) as integer) as enter_score,
        cast(max(exit_score) as integer) as exit_score,
        max(case when axis = 'contribution' then enter_at end) as enter_contribution,
        max(case when axis = 'net_revenue' then enter_at end) as enter_net_revenue,
        max(case when enter_score is null and axis like '%share' then 1 else 0 end) = 1
            as is_enter_out_of_reach,
        max(case when axis = 'contribution' then exit_at end) as exit_contribution,
        max(case when axis = 'net_revenue' then exit_at end) as exit_net_revenue,
        max(case when exit_score is null and axis like '%share' then 1 else 0 end) = 1
            as is_exit_out_of_reach
    from met
    group by policy_id, business_date, tier_rank
)

select * from bounded
