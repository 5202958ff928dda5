{{ config(materialized='incremental') }}
with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),

policy as (
    select
        {{ months_before(
            1, month_start(days_after(1, 'business_date'))
        ) }} as last_month_start
    from {{ ref('int_policies_selected') }}
),

steps as (
    {{ counted_from_zero(12, 'step') }}
),

{# Goods count on the day they come back. A month counts once it is over, so that the
   first day of a warning stays the same from night to night. #}
dated as (
    select
        sales_days.*,
        customers.survivor_id,
        {{ month_start('sales_days.posted_day') }} as month_start_date
    from sales_days
    inner join customers on sales_days.customer_id = customers.customer_id
    where not customers.is_internal
),

aggregated as (
    select
        survivor_id as customer_id,
        month_start_date,
        sum(gross_revenue) as gross,
        sum(gross_revenue) - sum(discounts) as sales,
        sum(discounts) as discounts,
        sum(returns) as returns,
        sum(orders) as orders
    from dated
    group by survivor_id, month_start_date
),

months as (
    select
        aggregated.*,
        cast({{ dbt.datediff(
            'aggregated.month_start_date', 'policy.last_month_start', 'month'
        ) }} as integer) as months_back
    from aggregated
    cross join policy
),

{# The month of the first sale is rarely whole, so no baseline has it. #}
histories as (
    select
        customer_id,
        max(months_back) - 1 as oldest_month
    from months
    where orders > 0
    group by customer_id
),

{# Each month-end of the last year looks back on three months and on those before; a season
   is those of them that are a year ago. #}
windows as (
    select
        months.*,
        steps.step,
        histories.oldest_month - (steps.step + 2) as baseline_months,
        case
            when months.months_back < steps.step + 3 then 'now'
            when months.months_back > histories.oldest_month then 'none'
            when months.months_back >= steps.step + 12 then 'season'
            else 'before'
        end as part
    from months
    inner join histories on months.customer_id = histories.customer_id
    inner join steps on months.months_back between steps.step and steps.step + 14
),

summed as (
    select
        customer_id,
        step,
        {% for name in ['sales', 'gross', 'discounts', 'returns', 'orders'] -%}
            coalesce(sum(case when part = 'now' then {{ name }} end), 0)
                as {{ name }}_now,
            coalesce(sum(case when part = 'season' then {{ name }} end), 0)
                as {{ name }}_season,
            coalesce(sum(case when part in ('season', 'before') then {{ name }} end), 0)
                as {{ name }}_before,
        {% endfor -%}
        max(baseline_months) as baseline_months
    from windows
    group by customer_id, step
),

{# With a year of history the same season, else the customer's own months before. #}
compared as (
    select
        customer_id,
        step,
        baseline_months,
        cast(orders_before as integer) as orders_before,
        cast(case
            when baseline_months >= 12 then orders_season
            else orders_before
        end as integer) as sales_baseline_orders,
        cast(sales_now as numeric(18, 2)) as sales_now,
        cast(case
            when baseline_months >= 12 then sales_season
            else 3 * sales_before / nullif(baseline_months, 0)
        end as numeric(18, 2)) as sales_baseline,
        cast(discounts_now / nullif(gross_now, 0) as numeric(18, 6))
            as discount_share_now,
        cast(discounts_before / nullif(gross_before, 0) as numeric(18, 6))
            as discount_share_baseline,
        cast(returns_now / nullif(sales_now, 0) as numeric(18, 6))
            as return_share_now,
        cast(returns_before / nullif(sales_before, 0) as numeric(18, 6))
            as return_share_baseline
    from summed
)

select * from compared
