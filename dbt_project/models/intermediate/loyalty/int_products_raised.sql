with
product_days as (select * from {{ ref('fct_product_days') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

parted as (
    select
        product_days.*,
        product_days.day > policy.window_start_date as is_now
    from product_days
    inner join policy
        on
            product_days.day > policy.window_before_start_date
            and product_days.day <= policy.business_date
    where product_days.order_lines > 0
),

sold as (
    select
        product_id,
        currency,
        is_now,
        sum(quantity) as quantity,
        sum(document_gross_revenue) as amount
    from parted
    group by product_id, currency, is_now
),

{# For all who buy them; less than 2 % is rounding, or another mix of packs. #}
raised as (
    select
        sold_now.product_id,
        sold_now.currency
    from sold as sold_now
    inner join sold as sold_before
        on
            sold_now.product_id = sold_before.product_id
            and sold_now.currency = sold_before.currency
            and sold_now.is_now
            and not sold_before.is_now
    where
        sold_now.quantity > 0
        and sold_now.amount * sold_before.quantity
        > 1.02 * sold_before.amount * sold_now.quantity
)

select * from raised
