{{ config(materialized='incremental') }}
with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
customers as (
    {{ of_touched(ref('int_customers_resolved'), 'survivor_id') }}
),
policy as (select * from {{ ref('int_policies_selected') }}),
cost_rates as (select * from {{ ref('int_cost_rates_dated') }}),

costed as (
    select
        sales_days.*,
        customers.survivor_id,
        {{ month_start('sales_days.day') }} as month_start_date,
        {{ window_number('sales_days.day') }} as window_number,
        {{ to_money('sales_days.order_lines * cost_rates.order_line_rate') }}
        + {{ to_money('sales_days.drops * cost_rates.drop_rate') }}
        + {{ to_money('sales_days.return_lines * cost_rates.return_line_rate') }}
            as cost_to_serve
    from sales_days
    inner join customers on sales_days.customer_id = customers.customer_id
    cross join policy
    left join cost_rates
        on
            sales_days.day >= cost_rates.valid_from_date
            and sales_days.day < cost_rates.valid_until_date
    where not customers.is_internal
),

summed as (
    select
        survivor_id as customer_id,
        month_start_date,
        window_number,
        sum(gross_revenue) as gross_revenue,
        sum(discounts) as discounts,
        sum(returns) as returns,
        sum(net_revenue) as net_revenue,
        sum(cogs) as cogs,
        sum(freight_cost) as freight_cost,
        coalesce(sum(cost_to_serve), 0) as cost_to_serve,
        sum(order_lines) as order_lines,
        sum(orders) as orders,
        sum(lines_without_cost) as lines_without_cost,
        sum(return_lines_matched) as return_lines_matched,
        sum(return_lines_without_sale) as return_lines_without_sale
    from costed
    group by survivor_id, month_start_date, window_number
)

select * from summed
