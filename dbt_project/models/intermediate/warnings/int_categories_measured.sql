{{ config(materialized='incremental') }}
with
category_days as (select * from {{ ref('int_categories_aggregated_to_days') }}),
order_days as (select * from {{ ref('int_order_days_resolved') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

intervals as (
    select
        category_days.*,
        policy.business_date,
        policy.window_start_date,
        {{ dbt.datediff(
            'lag(category_days.day) over (partition by category_days.customer_id,'
            ~ ' category_days.product_category order by category_days.day)',
            'category_days.day',
            'day'
        ) }} as days_between
    from category_days
    inner join policy on category_days.day > policy.loyalty_start_date
),

{# The last three months, and the same three a year before: seasons do not matter. #}
measured as (
    select
        customer_id,
        product_category,
        count(*) as order_days,
        max(day) as last_order_date,
        max(days_between) as longest_days,
        {{ median('days_between') }} as usual_days,
        sum(case when day > window_start_date then order_lines else 0 end)
            as order_lines_12m,
        sum(case
            when day > {{ months_before(3, 'business_date') }} then order_lines
            else 0
        end) as order_lines_3m,
        sum(case
            when
                day > {{ months_before(15, 'business_date') }}
                and day <= {{ months_before(12, 'business_date') }}
                then order_lines
            else 0
        end) as order_lines_season
    from intervals
    group by customer_id, product_category
),

{# Missed once the silence is longer than usual and than any before. #}
expected as (
    select
        measured.*,
        {{ days_after(
            'cast(floor(greatest(rules.threshold * measured.usual_days,'
            ~ ' measured.longest_days)) + 1 as integer)',
            'measured.last_order_date'
        ) }} as missed_date
    from measured
    inner join rules
        on
            rules.signal = 'category_loss'
            and measured.order_days >= rules.minimum_count
),

{# Lost from the first order after that day: until then the customer is just silent, as
   nearly all are, so that few are compared with each order. #}
lost as (
    select
        expected.customer_id,
        expected.product_category,
        min(expected.missed_date) as missed_date,
        min(order_days.day) as lost_since
    from expected
    inner join customers
        on
            expected.customer_id = customers.customer_id
            and expected.missed_date <= customers.last_sale_date
    inner join order_days
        on
            expected.customer_id = order_days.customer_id
            and expected.missed_date <= order_days.day
    where expected.order_lines_12m > 0
    group by expected.customer_id, expected.product_category
),

judged as (
    select
        measured.*,
        lost.missed_date,
        lost.lost_since
    from measured
    left join lost
        on
            measured.customer_id = lost.customer_id
            and measured.product_category = lost.product_category
)

select * from judged
