{{ config(materialized='incremental') }}
{%- set of_sales = [
    'gross_revenue', 'discounts', 'returns', 'net_revenue', 'cogs', 'freight_cost',
    'order_lines', 'orders', 'lines_without_cost', 'return_lines_matched',
    'return_lines_without_sale'
] -%}
with
sales as (
    {{ of_touched_months(ref('int_sales_aggregated_to_months')) }}
),

services as (
    {{ of_touched_months(ref('int_services_aggregated_to_months')) }}
),

receivables as (
    {{ of_touched_months(ref('int_receivables_aggregated_to_months')) }}
),

found as (select * from {{ ref('int_profit_lines_found') }}),

{# Each has a row per customer, month and window, and none has all of them. #}
earned as (
    select
        sales.*,
        services.cost_to_serve as service_cost,
        services.acquisition_cost,
        services.development_cost,
        coalesce(sales.customer_id, services.customer_id) as any_customer_id,
        coalesce(sales.month_start_date, services.month_start_date) as any_month,
        coalesce(sales.window_number, services.window_number) as any_window
    from sales
    full outer join services
        on
            sales.customer_id = services.customer_id
            and sales.month_start_date = services.month_start_date
            and sales.window_number = services.window_number
),

joined as (
    select
        coalesce(earned.any_customer_id, receivables.customer_id) as customer_id,
        coalesce(earned.any_month, receivables.month_start_date) as month_start_date,
        coalesce(earned.any_window, receivables.window_number) as window_number,
        coalesce(earned.cost_to_serve, 0) + coalesce(earned.service_cost, 0)
            as cost_to_serve,
        coalesce(earned.service_cost, 0) as service_cost,
        coalesce(earned.acquisition_cost, 0) as acquisition_cost,
        coalesce(earned.development_cost, 0) as development_cost,
        coalesce(receivables.receivable_financing_cost, 0)
            as receivable_financing_cost,
        {% for column in of_sales -%}
            coalesce(earned.{{ column }}, 0) as {{ column }},
        {% endfor -%}
        coalesce(receivables.bad_debt_cost, 0) as bad_debt_cost
    from earned
    full outer join receivables
        on
            earned.any_customer_id = receivables.customer_id
            and earned.any_month = receivables.month_start_date
            and earned.any_window = receivables.window_number
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
        joined.service_cost,
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
