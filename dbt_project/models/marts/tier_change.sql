with
changes as (
    select *
    from {{ ref('int_tiers_reasoned') }}
    where is_changed
),

customers as (select * from {{ ref('int_customers_described') }}),
drivers as (select * from {{ ref('int_drivers_found') }}),

joined as (
    select
        changes.business_date,
        changes.customer_id,
        customers.customer_name,
        customers.owner_id,
        changes.previous_tier as from_tier,
        changes.tier as to_tier,
        changes.direction,
        changes.compared_with,
        changes.cause,
        changes.reason_code,
        drivers.main_driver,
        cast(drivers.main_driver_change as numeric(24, 6)) as main_driver_change,
        drivers.second_driver,
        cast(drivers.second_driver_change as numeric(24, 6)) as second_driver_change,
        cast(changes.contribution_12m_before as numeric(24, 6))
            as contribution_12m_before,
        cast(changes.contribution_12m as numeric(24, 6)) as contribution_12m,
        cast(changes.contribution_12m_change as numeric(24, 6))
            as contribution_12m_change,
        cast(changes.loyalty_index_before as numeric(7, 4)) as loyalty_index_before,
        cast(changes.loyalty_index as numeric(7, 4)) as loyalty_index,
        changes.score_rank_before,
        changes.score_rank,
        changes.customers_ranked,
        changes.policy_id,
        changes.own_move,
        changes.others_move,
        changes.rule,
        changes.tier_score
    from changes
    left join customers on changes.customer_id = customers.customer_id
    left join drivers on changes.customer_id = drivers.customer_id
)

select * from joined
