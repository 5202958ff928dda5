with
order_days as (select * from {{ ref('int_order_days_resolved') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

quarters as (
    {{ dbt.generate_series(4) }}
),

{# Quarters are counted back from the business date, not by the calendar. #}
quarters_dated as (
    select
        quarters.generated_number as quarter_number,
        {{ months_before('3 * quarters.generated_number', 'policy.business_date') }}
            as after_date,
        {{ months_before(
            '3 * (quarters.generated_number - 1)', 'policy.business_date'
        ) }} as until_date
    from quarters
    cross join policy
),

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

retention as (
    select
        customers.customer_id,
        cast(
            1.0 * count(distinct case
                when order_days.day is not null then quarters_dated.quarter_number
            end) / count(distinct quarters_dated.quarter_number) as numeric(7, 6)
        ) as retention
    from customers
    inner join quarters_dated on customers.first_sale_date <= quarters_dated.until_date
    left join order_days
        on
            customers.customer_id = order_days.customer_id
            and quarters_dated.after_date < order_days.day
            and quarters_dated.until_date >= order_days.day
    group by customers.customer_id
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
        retention.retention
    from customers
    cross join policy
    left join regularity on customers.customer_id = regularity.customer_id
    left join retention on customers.customer_id = retention.customer_id
)

select * from measured
