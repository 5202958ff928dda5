with

customers as (

    select * from {{ ref('int_customers_scored') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

tier_ladder as (

    select * from {{ ref('tier_ladder') }}

),

scores as (

    select
        tier_score,
        count(*) as ties

    from customers
    group by tier_score

),

placed as (

    select
        tier_score,
        ties,
        sum(ties) over (order by tier_score desc) - ties as customers_above,
        sum(ties) over () as customers_ranked

    from scores

),

{# Who has few enough above reaches the tier: ties and the crossing customer rise. #}
reached as (

    select
        placed.tier_score,
        placed.ties,
        placed.customers_above,
        placed.customers_ranked,
        min(tier_ladder.tier_rank) as cut_rank

    from placed

    cross join policy

    inner join tier_ladder
        on
            policy.policy_id = tier_ladder.policy_id
            and placed.customers_above
            < tier_ladder.max_share * placed.customers_ranked

    group by
        placed.tier_score,
        placed.ties,
        placed.customers_above,
        placed.customers_ranked

),

typed as (

    select
        tier_score,
        cut_rank,
        cast(ties as integer) as ties,
        cast(customers_above + 1 as integer) as score_rank,
        cast(customers_ranked as integer) as customers_ranked

    from reached

)

select * from typed
