with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
quarantined as (select * from {{ ref('stg_quarantine__invoice_lines') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

lines as (
    select
        sales_days.customer_id,
        sales_days.order_lines + sales_days.return_lines as known_lines,
        {# Where nobody has a cost, its absence says nothing of one customer. #}
        case when found.has_cogs then sales_days.lines_without_cost else 0 end
            as lines_without_cost,
        0 as quarantined_lines
    from sales_days
    cross join found
    inner join policy
        on
            sales_days.day > policy.window_start_date
            and sales_days.day <= policy.business_date

    union all

    select
        quarantined.customer_id,
        0 as known_lines,
        0 as lines_without_cost,
        1 as quarantined_lines
    from quarantined
    inner join policy
        on
            quarantined.invoice_date > policy.window_start_date
            and quarantined.invoice_date <= policy.business_date
),

measured as (
    select
        customers.survivor_id as customer_id,
        cast(sum(lines.quarantined_lines) as integer) as quarantined_lines,
        cast(
            1 - 1.0 * sum(lines.lines_without_cost + lines.quarantined_lines)
            / nullif(sum(lines.known_lines + lines.quarantined_lines), 0)
            as numeric(5, 4)
        ) as sales_confidence
    from lines
    inner join customers on lines.customer_id = customers.customer_id
    group by customers.survivor_id
)

select * from measured
