with
order_days as (select * from {{ ref('int_order_days_resolved') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

intervals as (
    select
        order_days.customer_id,
        {{ dbt.datediff(
            'lag(order_days.day) over ('
            ~ 'partition by order_days.customer_id order by order_days.day)',
            'order_days.day',
            'day'
        ) }} as days_between
    from order_days
    inner join policy on order_days.day > policy.loyalty_start_date
),

{# One interval has no spread, so it says nothing about regularity. #}
regularity as (
    select
        customer_id,
        cast(
            1 / (1 + stddev_samp(days_between) / avg(days_between)) as numeric(7, 6)
        ) as regularity
    from intervals
    group by customer_id
    having count(days_between) >= 2
),

{# Quarters are counted back from the business date, not by the calendar. #}
quarters_bought as (
    select
        {% for quarter in range(4) -%}
            max(case
                when
                    day > {{ months_before(3 * quarter + 3, business_date()) }}
                    and day <= {{ months_before(3 * quarter, business_date()) }}
                    then 1
                else 0
            end) as bought_{{ quarter }},
        {% endfor -%}
        customer_id
    from order_days
    group by customer_id
),

quarters_counted as (
    select
        quarters_bought.customer_id,
        {% for quarter in range(4) -%}
            {{ '+ ' if not loop.first }}quarters_bought.bought_{{ quarter }}
        {% endfor %} as quarters_with_orders,
        {% for quarter in range(4) -%}
            {{ '+ ' if not loop.first }}case
                when customers.first_sale_date <= {{ months_before(3 * quarter, business_date()) }}
                    then 1
                else 0
            end
        {% endfor %} as quarters
    from quarters_bought
    inner join customers on quarters_bought.customer_id = customers.customer_id
),

measured as (
    select
        customers.customer_id,
        cast(
            {{ dbt.datediff(
                'customers.first_sale_date', 'policy.business_date', 'day'
            ) }} * 12 / 365.25 as numeric(9, 2)
        ) as tenure_months,
        regularity.regularity,
        cast(
            1.0 * quarters_counted.quarters_with_orders
            / nullif(quarters_counted.quarters, 0) as numeric(7, 6)
        ) as retention
    from customers
    cross join policy
    left join regularity on customers.customer_id = regularity.customer_id
    left join quarters_counted on customers.customer_id = quarters_counted.customer_id
)

select * from measured
