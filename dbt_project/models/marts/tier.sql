with
ladders as (select * from {{ ref('int_ladders_in_force') }}),
versions as (select * from {{ ref('int_policies_versioned') }}),

ranked as (
    select
        ladders.*,
        versions.role,
        versions.policy_version,
        max(ladders.tier_rank) over (partition by ladders.policy_id) as lowest_rank
    from ladders
    inner join versions on ladders.policy_id = versions.policy_id
),

typed as (
    select
        business_date,
        policy_id,
        role,
        policy_version,
        tier,
        tier_rank,
        name_en,
        name_zh,
        best_if_negative,
        best_if_risk,
        given_if_few,
        review_months,
        coalesce(value_class, case tier_rank
            when 1 then 'high'
            when lowest_rank then 'low'
            else 'regular'
        end) as value_class
    from ranked
)

select * from typed
