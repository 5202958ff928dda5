{%- set lines = [
    ('net_revenue', 'net_revenue'),
    ('returns', 'returns'),
    ('cogs', 'cogs'),
    ('freight', 'freight_cost'),
    ('cost_to_serve', 'cost_to_serve'),
    ('financing', 'receivable_financing_cost'),
    ('bad_debt', 'bad_debt_cost'),
] -%}
with
months as (select * from {{ ref('int_contributions_aggregated_to_months') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

valued as (
    select
        *,
        {{ margin('contribution') }} as contribution
    from months
    where window_number in (1, 2)
),

summed as (
    select
        customer_id,
        {% for name, column in lines -%}
            sum(case when window_number = 1 then {{ column }} end) as {{ name }}_12m,
        {% endfor -%}
        sum(case when window_number = 1 then contribution end) as contribution_12m,
        sum(case when window_number = 2 then contribution end)
            as contribution_prior_12m
    from valued
    group by customer_id
),

{# A customer without anything in the window has zeros where the company has data. #}
filled as (
    select
        customers.customer_id,
        found.missing_lines,
        coalesce(summed.net_revenue_12m, 0) as net_revenue_12m,
        coalesce(summed.returns_12m, 0) as returns_12m,
        {% for name in ['cogs', 'freight', 'cost_to_serve', 'financing', 'bad_debt'] -%}
            case when found.has_{{ name }} then coalesce(summed.{{ name }}_12m, 0) end
                as {{ name }}_12m,
        {% endfor -%}
        coalesce(summed.contribution_12m, 0) as contribution_12m,
        coalesce(summed.contribution_prior_12m, 0) as contribution_prior_12m
    from customers
    cross join found
    left join summed on customers.customer_id = summed.customer_id
)

select * from filled
