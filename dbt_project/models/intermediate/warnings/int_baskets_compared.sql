{{ config(materialized='incremental') }}
{%- set amounts = ['gross', 'sales', 'discounts', 'returns', 'orders'] -%}
{#- What is summed, and of which months, counted back from the month-end. -#}
{%- set now, before, season, all = ('2 preceding and current row', '14 preceding and 3 preceding',
    '14 preceding and 12 preceding', '14 preceding and current row') -%}
{%- set sums = {
    'gross_now': ('gross', now), 'gross_before': ('gross_baseline', before),
    'discounts_now': ('discounts', now), 'discounts_before': ('discounts_baseline', before),
    'returns_now': ('returns', now), 'returns_before': ('returns_baseline', before),
    'sales_now': ('sales', now), 'sales_before': ('sales_baseline', before),
    'sales_season': ('sales_baseline', season), 'orders_season': ('orders_baseline', season),
    'orders_before': ('orders_baseline', before), 'orders_now': ('orders', now),
    'months_looked_at': ('months_sold', all),
} -%}
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

histories as (
    select
        customer_id,
        max(months_back) - 1 as oldest_month
    from months
    where orders > 0
    group by customer_id
),

{# Also the month-ends of the last year in whose month nothing was sold. The month of the first
   sale is rarely whole, so no baseline has it. #}
lined_up as (
    select
        {% for name in amounts -%}
            months.{{ name }},
            case when months.months_back <= histories.oldest_month then months.{{ name }} end
                as {{ name }}_baseline,
        {% endfor -%}
        1 as months_sold,
        months.months_back,
        histories.oldest_month,
        histories.customer_id
    from histories
    inner join months on histories.customer_id = months.customer_id
    where months.months_back between 0 and 25

    union all

    select
        {% for name in amounts -%}
            0 as {{ name }},
            0 as {{ name }}_baseline,
        {% endfor -%}
        0 as months_sold,
        steps.step as months_back,
        histories.oldest_month,
        histories.customer_id
    from histories
    cross join steps
),

{# Each month-end looks back on three months and on the twelve before; a season is those of them
   that are a year ago. #}
rolled as (
    select
        {% for name, (amount, frame) in sums.items() -%}
            coalesce(sum({{ amount }}) over (
                partition by customer_id order by months_back desc
                range between {{ frame }}
            ), 0) as {{ name }},
        {% endfor -%}
        months_sold,
        months_back as step,
        oldest_month - (months_back + 2) as baseline_months,
        customer_id
    from lined_up
),

{# One of the rows of each month-end. #}
summed as (
    select *
    from rolled
    where
        months_sold = 0
        and months_looked_at > 0
),

{# With a year of history the same season, else the customer's own months before. #}
compared as (
    select
        customer_id,
        step,
        baseline_months,
        cast(orders_before as integer) as orders_before,
        cast(orders_now as integer) as orders_now,
        cast(case
            when baseline_months >= 12 then orders_season
            else orders_before
        end as integer) as sales_baseline_orders,
        cast(sales_now as numeric(24, 6)) as sales_now,
        cast(case
            when baseline_months >= 12 then sales_season
            else 3 * sales_before / nullif(baseline_months, 0)
        end as numeric(24, 6)) as sales_baseline,
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
