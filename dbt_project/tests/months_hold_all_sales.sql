-- every cent of the known facts is in the months or with an excluded customer
with

sales_days as (

    select
        sum(net_revenue) as net_revenue,
        sum(cogs) as cogs

    from {{ ref('int_sales_days_known') }}

),

counted as (

    select
        net_revenue,
        cogs

    from {{ ref('customer_contribution') }}

    union all

    select
        net_revenue,
        cogs

    from {{ ref('int_customers_excluded') }}

),

summed as (

    select
        sum(net_revenue) as net_revenue,
        sum(cogs) as cogs

    from counted

)

select sales_days.*
from sales_days
cross join summed
cross join {{ ref('int_profit_lines_found') }} as found
where
    coalesce(sales_days.net_revenue, 0) <> coalesce(summed.net_revenue, 0)
    or (
        found.has_cogs
        and coalesce(sales_days.cogs, 0) <> coalesce(summed.cogs, 0)
    )
