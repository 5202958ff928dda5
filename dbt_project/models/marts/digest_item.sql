with
news as (select * from {{ ref('int_news_addressed') }}),
schedules as (select * from {{ ref('int_digests_scheduled') }}),
owners as (select * from {{ ref('stg_crm__owners') }}),

weighed as (
    select
        *,
        max(amount_at_stake) over (
            partition by kind, recipient_id, section, customer_id
        ) as customer_amount,
        max(case when section = 'main' then 1 else 0 end) over (
            partition by kind, recipient_id
        ) as has_main,
        min(role_order) over (partition by kind, recipient_id) as first_role_order
    from news
),

caps as (
    select
        weighed.kind,
        weighed.recipient_id,
        min(schedules.customers_shown) as customers_shown
    from weighed
    inner join schedules
        on
            weighed.role = schedules.role
            and weighed.kind = schedules.kind
    where weighed.role_order = weighed.first_role_order
    group by weighed.kind, weighed.recipient_id
),

ranked as (
    select
        *,
        cast(dense_rank() over (
            partition by kind, recipient_id, section
            order by coalesce(customer_amount, -1) desc, customer_id asc
        ) as integer) as customer_rank
    from weighed
    where has_main = 1
),

items as (
    select
        {{ business_date() }} as business_date,
        ranked.kind,
        ranked.recipient_id,
        ranked.role,
        ranked.customer_id,
        ranked.customer_name,
        ranked.owner_id,
        ranked.owner_name,
        ranked.topic,
        ranked.cause,
        ranked.section,
        ranked.since,
        ranked.compared_with,
        ranked.customer_rank,
        ranked.from_tier,
        ranked.to_tier,
        ranked.direction,
        ranked.reason_code,
        ranked.main_driver,
        ranked.main_driver_change,
        ranked.second_driver,
        ranked.second_driver_change,
        ranked.contribution_12m_before,
        ranked.contribution_12m,
        ranked.contribution_12m_change,
        ranked.loyalty_index_before,
        ranked.loyalty_index,
        ranked.score_rank_before,
        ranked.score_rank,
        ranked.customers_ranked,
        ranked.policy_id,
        ranked.own_move,
        ranked.others_move,
        ranked.tier_score,
        ranked.strength,
        ranked.baseline_value,
        ranked.current_value,
        ranked.value_unit,
        ranked.subject,
        ranked.subject_date,
        ranked.warning_cause,
        ranked.recommended_step,
        ranked.nights_until_change,
        ranked.previous_owner_id,
        cast(ranked.amount_at_stake as numeric(24, 6)) as amount_at_stake,
        cast(ranked.customer_amount as numeric(24, 6)) as customer_amount,
        earlier_owners.owner_name as previous_owner_name,
        ranked.customer_rank <= caps.customers_shown as is_shown
    from ranked
    inner join caps
        on
            ranked.kind = caps.kind
            and ranked.recipient_id = caps.recipient_id
    left join owners as earlier_owners on ranked.previous_owner_id = earlier_owners.owner_id
)

select * from items
