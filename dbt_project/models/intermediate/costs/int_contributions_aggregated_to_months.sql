with
sales as (select * from {{ ref('int_sales_aggregated_to_months') }}),
services as (select * from {{ ref('int_services_aggregated_to_months') }}),
receivables as (select * from {{ ref('int_receivables_aggregated_to_months') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

all_months as (
    select
        customer_id,
        month_start_date,
        window_number
    from sales

    union

    select
        customer_id,
        month_start_date,
        window_number
    from services

    union

    select
        customer_id,
        month_start_date,
        window_number
    from receivables
),

joined as (
    select
        all_months.*,
        coalesce(sales.gross_revenue, 0) as gross_revenue,
        coalesce(sales.discounts, 0) as discounts,
        coalesce(sales.returns, 0) as returns,
        coalesce(sales.net_revenue, 0) as net_revenue,
        coalesce(sales.cogs, 0) as cogs,
        coalesce(sales.freight_cost, 0) as freight_cost,
        coalesce(sales.cost_to_serve, 0) + coalesce(services.cost_to_serve, 0)
            as cost_to_serve,
        coalesce(services.acquisition_cost, 0) as acquisition_cost,
        coalesce(services.development_cost, 0) as development_cost,
        coalesce(receivables.receivable_financing_cost, 0)
            as receivable_financing_cost,
        coalesce(receivables.bad_debt_cost, 0) as bad_debt_cost,
        coalesce(sales.order_lines, 0) as order_lines,
        coalesce(sales.orders, 0) as orders,
        coalesce(sales.lines_without_cost, 0) as lines_without_cost,
        coalesce(sales.return_lines_matched, 0) as return_lines_matched,
        coalesce(sales.return_lines_without_sale, 0) as return_lines_without_sale
    from all_months
    left join sales
        on
            all_months.customer_id = sales.customer_id
            and all_months.month_start_date = sales.month_start_date
            and all_months.window_number = sales.window_number
    left join services
        on
            all_months.customer_id = services.customer_id
            and all_months.month_start_date = services.month_start_date
            and all_months.window_number = services.window_number
    left join receivables
        on
            all_months.customer_id = receivables.customer_id
            and all_months.month_start_date = receivables.month_start_date
            and all_months.window_number = receivables.window_number
),

{# A line that nobody has data for is empty, so that no reader takes it for zero. #}
known as (
    select
        joined.customer_id,
        joined.month_start_date,
        joined.window_number,
        joined.gross_revenue,
        joined.returns,
        joined.net_revenue,
        joined.order_lines,
        joined.orders,
        joined.lines_without_cost,
        joined.return_lines_matched,
        joined.return_lines_without_sale,
        found.missing_lines,
        case when found.has_discounts then joined.discounts end as discounts,
        case when found.has_cogs then joined.cogs end as cogs,
        case when found.has_freight then joined.freight_cost end as freight_cost,
        case when found.has_cost_to_serve then joined.cost_to_serve end
            as cost_to_serve,
        case when found.has_services then joined.acquisition_cost end
            as acquisition_cost,
        case when found.has_services then joined.development_cost end
            as development_cost,
        case
            when found.has_services
                then joined.cost_to_serve - joined.acquisition_cost - joined.development_cost
        end as retention_cost,
        case when found.has_financing then joined.receivable_financing_cost end
            as receivable_financing_cost,
        case when found.has_bad_debt then joined.bad_debt_cost end as bad_debt_cost
    from joined
    cross join found
)

select * from known
