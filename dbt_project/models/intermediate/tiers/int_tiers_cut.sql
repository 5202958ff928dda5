with

scores as (

    select * from {{ ref('int_scores_distributed') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

tier_ladder as (

    select * from {{ ref('tier_ladder') }}

),

{# The lowest score that holds a tier is the lowest that reaches it or a better one. #}
cut as (

    select
        tier_ladder.tier,
        tier_ladder.tier_rank,
        tier_ladder.best_if_negative,
        tier_ladder.best_if_risk,
        tier_ladder.given_if_few,
        min(scores.tier_score) as exit_score

    from tier_ladder

    inner join policy
        on tier_ladder.policy_id = policy.policy_id

    left join scores
        on tier_ladder.tier_rank >= scores.cut_rank

    group by
        tier_ladder.tier,
        tier_ladder.tier_rank,
        tier_ladder.best_if_negative,
        tier_ladder.best_if_risk,
        tier_ladder.given_if_few

),

compared as (

    select
        *,
        lag(exit_score) over (order by tier_rank) as enter_score_better

    from cut

)

select * from compared
