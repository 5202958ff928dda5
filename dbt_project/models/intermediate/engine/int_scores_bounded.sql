with

reached as (

    select * from {{ ref('int_tiers_reached') }}

),

tier_ladder as (

    select * from {{ ref('tier_ladder') }}

),

scores as (

    select
        policy_id,
        business_date,
        tier_score,
        min(enter_rank) as enter_rank,
        min(cut_rank) as cut_rank,
        min(exit_rank) as exit_rank

    from reached
    group by
        policy_id,
        business_date,
        tier_score

),

bounded as (

    select
        scores.policy_id,
        scores.business_date,
        tier_ladder.tier_rank,
        min(
            case
                when scores.enter_rank <= tier_ladder.tier_rank then scores.tier_score
            end
        )
            as enter_score,
        min(
            case
                when scores.cut_rank <= tier_ladder.tier_rank then scores.tier_score
            end
        )
            as cut_score,
        min(
            case
                when scores.exit_rank <= tier_ladder.tier_rank then scores.tier_score
            end
        )
            as exit_score

    from scores

    inner join tier_ladder
        on scores.policy_id = tier_ladder.policy_id

    group by
        scores.policy_id,
        scores.business_date,
        tier_ladder.tier_rank

)

select * from bounded
