with
held as (select * from {{ ref('int_tiers_held') }}),
tiers as (select * from {{ ref('int_ladders_in_force') }}),
bounds as (select * from {{ ref('int_scores_bounded') }}),
overrides as (select * from {{ ref('int_overrides_in_force') }}),

{# An override stands before the computed tier, which goes on being held as if alone. #}
decided as (
    select
        held.*,
        overrides.reason as override_reason,
        overrides.approver as override_approver,
        overrides.valid_until as override_until,
        bounds.exit_score,
        better.enter_score as enter_score_better,
        coalesce(tiers.tier, 'new') as computed_tier,
        coalesce(forced.tier, tiers.tier, 'new') as tier,
        case when forced.tier is null then held.tier_rank else forced.tier_rank end
            as published_rank
    from held
    left join tiers
        on
            held.policy_id = tiers.policy_id
            and held.business_date = tiers.business_date
            and held.tier_rank = tiers.tier_rank
    left join overrides
        on
            held.role in ('leading', 'before')
            and held.business_date = overrides.business_date
            and held.customer_id = overrides.customer_id
    left join tiers as forced
        on
            held.policy_id = forced.policy_id
            and held.business_date = forced.business_date
            and overrides.tier = forced.tier
    left join bounds
        on
            held.policy_id = bounds.policy_id
            and held.business_date = bounds.business_date
            and held.tier_rank = bounds.tier_rank
            and held.base_rule = 'ranked'
    left join bounds as better
        on
            held.policy_id = better.policy_id
            and held.business_date = better.business_date
            and held.tier_rank - 1 = better.tier_rank
            and held.base_rule = 'ranked'
)

select * from decided
