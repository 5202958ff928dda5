with
product_days as (select * from {{ ref('fct_product_days') }}),
records as (select * from {{ ref('int_customers_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

bought as (
    select
        {% for period, sign in [('now', '>'), ('before', '<=')] -%}
            sum(case
                when product_days.day {{ sign }} policy.window_start_date
                    then product_days.quantity
                else 0
            end) as quantity_{{ period }},
            sum(case
                when product_days.day {{ sign }} policy.window_start_date
                    then product_days.document_gross_revenue
                else 0
            end) as amount_{{ period }},
        {% endfor -%}
        records.survivor_id as customer_id,
        product_days.product_id,
        product_days.currency
    from product_days
    inner join records on product_days.customer_id = records.customer_id
    inner join policy
        on
            product_days.day > policy.window_before_start_date
            and product_days.day <= policy.business_date
    where product_days.order_lines > 0
    group by records.survivor_id, product_days.product_id, product_days.currency
),

{# Products whose list price per unit rose by more than 2 %, for all who buy them; less is
   rounding, or another mix of packs. #}
raised as (
    select
        product_id,
        currency
    from bought
    group by product_id, currency
    having
        sum(quantity_now) > 0
        and sum(amount_now) * sum(quantity_before)
        > 1.02 * sum(amount_before) * sum(quantity_now)
),

{# What it bought of them before, and how much of that it goes on buying. #}
compared as (
    select
        bought.*,
        case when raised.product_id is not null then bought.amount_before end as raised_amount,
        least(1, bought.quantity_now / nullif(bought.quantity_before, 0)) as kept_share
    from bought
    left join raised
        on
            bought.product_id = raised.product_id
            and bought.currency = raised.currency
),

held as (
    select
        customer_id,
        cast(
            count(distinct case when quantity_now > 0 then product_id end) as integer
        ) as products_held,
        cast(
            sum(case when quantity_before > 0 then raised_amount * kept_share end)
            / nullif(sum(case when quantity_before > 0 then raised_amount end), 0)
            as numeric(7, 6)
        ) as price_acceptance
    from compared
    group by customer_id
)

select * from held
