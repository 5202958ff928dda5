with
decisions as (
    select *
    from {{ ref('int_tiers_decided') }}
    where role = 'beside'
),

typed as (
    select
        business_date,
        policy_id,
        customer_id,
        tier,
        tier_rank as computed_tier_rank,
        rule,
        tier_score,
        score_rank,
        customers_ranked,
        changed_on,
        pending_direction,
        pending_nights,
        spell_since
    from decisions
)

select * from typed
