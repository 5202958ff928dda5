with
groups as (select * from {{ ref('int_groups_resolved') }}),
tiers as (select * from {{ ref('customer_tier') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),

summed as (
    select
        groups.group_id,
        cast(count(*) as integer) as customers,
        cast(count(tiers.customer_id) as integer) as customers_with_sales,
        cast(sum(tiers.net_revenue_12m) as numeric(24, 6)) as net_revenue_12m,
        cast(sum(tiers.contribution_12m) as numeric(24, 6)) as contribution_12m,
        cast(
            sum(case when tiers.contribution_12m < 0 then 1 else 0 end) as integer
        ) as customers_at_a_loss,
        min(tiers.tier_rank) as best_tier_rank,
        max(tiers.tier_rank) as worst_tier_rank
    from groups
    left join tiers on groups.customer_id = tiers.customer_id
    group by groups.group_id
),

named as (
    select
        {{ business_date() }} as business_date,
        summed.*,
        customers.customer_name as group_name
    from summed
    inner join customers on summed.group_id = customers.customer_id
)

select * from named
