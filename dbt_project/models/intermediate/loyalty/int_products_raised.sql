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
        sum(case when is_now then quantity else 0 end) as quantity_now,
        sum(case when is_now then document_gross_revenue else 0 end) as amount_now,
        sum(case when is_now then 0 else quantity end) as quantity_before,
        sum(case when is_now then 0 else document_gross_revenue end) as amount_before
    from parted
    group by product_id, currency
),

{# For all who buy them; less than 2 % is rounding, or another mix of packs. #}
raised as (
    select
        product_id,
        currency
    from sold
    where
        quantity_now > 0
        and amount_now * quantity_before > 1.02 * amount_before * quantity_now
)

select * from raised
