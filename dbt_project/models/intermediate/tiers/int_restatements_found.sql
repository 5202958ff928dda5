with

sales_days as (

    select * from {{ ref('int_sales_days_known') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

remembered as (

    select * from {{ ref('stg_bi__tier_decisions') }}

),

window_before as (

    select distinct
        remembered.business_date,
        {{ months_before('policies.window_months', 'remembered.business_date') }}
            as window_start_date

    from remembered

    inner join {{ ref('tier_policies') }} as measured
        on remembered.policy_id = measured.policy_id

    inner join {{ ref('tier_policies') }} as policies
        on measured.measured_as = policies.policy_id

),

{# The window of the night before, as its sales are known tonight. #}
known_now as (

    select
        customers.survivor_id as customer_id,
        sum(
            sales_days.net_revenue - coalesce(sales_days.cogs, 0)
            - coalesce(sales_days.freight_cost, 0)
        ) as margin

    from sales_days

    inner join customers
        on sales_days.customer_id = customers.customer_id

    inner join window_before
        on
            sales_days.posted_day <= window_before.business_date
            and sales_days.day <= window_before.business_date
            and sales_days.day > window_before.window_start_date

    group by customers.survivor_id

),

restated as (

    select
        remembered.customer_id,
        cast(
            coalesce(known_now.margin, 0)
            - (
                remembered.net_revenue_12m - coalesce(remembered.cogs_12m, 0)
                - coalesce(remembered.freight_12m, 0)
            ) as numeric(18, 2)
        ) as restated_12m

    from remembered

    left join known_now
        on remembered.customer_id = known_now.customer_id

)

select * from restated
