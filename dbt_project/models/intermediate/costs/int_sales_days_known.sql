with
sales_days as (select * from {{ ref('fct_sales_days') }}),

{# What is posted later counts on an earlier day, but nobody knew it that night. #}
known as (
    select
        customer_id,
        day,
        posted_day,
        gross_revenue,
        discounts,
        returns,
        net_revenue,
        cogs,
        freight_cost,
        order_lines,
        orders,
        drops,
        return_lines,
        price_lines,
        units,
        lines_with_discount,
        lines_with_freight,
        lines_without_cost,
        return_lines_matched,
        return_lines_without_sale
    from sales_days
    where posted_day <= {{ business_date() }}
)

select * from known
