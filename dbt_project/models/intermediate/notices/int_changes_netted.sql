{%- set at_the_end = [
    'reason_code', 'cause', 'main_driver', 'main_driver_change', 'second_driver',
    'second_driver_change', 'contribution_12m', 'loyalty_index', 'score_rank',
    'customers_ranked', 'policy_id', 'tier_score'
] -%}
with
tonight as (select * from {{ ref('tier_change') }}),
earlier as (select * from {{ ref('stg_bi__tier_changes') }}),
schedules as (select * from {{ ref('int_digests_scheduled') }}),
ladder as (select * from {{ ref('int_ladders_in_force') }}),

{% set columns = at_the_end + [
    'business_date', 'customer_id', 'from_tier', 'to_tier', 'direction', 'own_move',
    'others_move', 'contribution_12m_before', 'contribution_12m_change',
    'loyalty_index_before', 'score_rank_before', 'compared_with'
] -%}
changes as (
    select {{ listed(columns, 'tonight') }}
    from tonight

    union all

    select {{ listed(columns, 'earlier') }}
    from earlier
),

in_order as (
    select
        changes.*,
        schedules.role,
        schedules.kind,
        row_number() over (
            partition by schedules.role, schedules.kind, changes.customer_id
            order by changes.business_date
        ) as from_first,
        row_number() over (
            partition by schedules.role, schedules.kind, changes.customer_id
            order by changes.business_date desc
        ) as from_last,
        min(changes.compared_with) over (
            partition by schedules.role, schedules.kind, changes.customer_id
            order by changes.business_date
            rows between 1 following and unbounded following
        ) as compared_with_later
    from changes
    inner join schedules
        on
            changes.business_date > schedules.told_until
            and changes.business_date <= schedules.period_until
            and (changes.cause = 'policy') = (schedules.kind = 'policy_notice')
),

{# A fall in steps tells its spell with each step: the last one holds the steps before. #}
moved as (
    select
        role,
        kind,
        customer_id,
        sum(own_move) as own_move,
        sum(others_move) as others_move,
        sum(contribution_12m_change) as contribution_12m_change
    from in_order
    where coalesce(compared_with_later >= business_date, true)
    group by role, kind, customer_id
),

{# A tier that was left and taken again in one period is no news. #}
netted as (
    select
        last_change.role,
        last_change.kind,
        last_change.customer_id,
        last_change.business_date as since,
        first_change.compared_with,
        first_change.from_tier,
        last_change.to_tier,
        {{ listed(at_the_end, 'last_change') }},
        first_change.contribution_12m_before,
        first_change.loyalty_index_before,
        first_change.score_rank_before,
        cast(moved.contribution_12m_change as numeric(24, 6)) as contribution_12m_change,
        cast(moved.own_move as integer) as own_move,
        cast(moved.others_move as integer) as others_move,
        case
            when last_change.from_first = 1 then last_change.direction
            when first_change.from_tier = 'new' then 'entered'
            when last_change.to_tier = 'new' then 'returned'
            when rank_after.tier_rank < rank_before.tier_rank then 'up'
            when rank_after.tier_rank > rank_before.tier_rank then 'down'
        end as direction
    from in_order as last_change
    inner join in_order as first_change
        on
            last_change.role = first_change.role
            and last_change.kind = first_change.kind
            and last_change.customer_id = first_change.customer_id
            and first_change.from_first = 1
    inner join moved
        on
            last_change.role = moved.role
            and last_change.kind = moved.kind
            and last_change.customer_id = moved.customer_id
    left join ladder as rank_before
        on
            last_change.policy_id = rank_before.policy_id
            and first_change.from_tier = rank_before.tier
    left join ladder as rank_after
        on
            last_change.policy_id = rank_after.policy_id
            and last_change.to_tier = rank_after.tier
    where
        last_change.from_last = 1
        and first_change.from_tier <> last_change.to_tier
)

select * from netted
