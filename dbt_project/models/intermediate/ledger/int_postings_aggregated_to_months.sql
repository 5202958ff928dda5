{%- set kinds = [
    ('revenue', 'net_revenue', 'true'),
    ('cogs', 'cogs', 'found.has_cogs'),
    ('freight', 'freight_cost', 'found.has_freight'),
] -%}
with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
excluded as (select * from {{ ref('int_customers_excluded') }}),
ledger as (select * from {{ ref('int_ledger_totals_known') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

{# A month that only the ledger knows has no postings, which is worth knowing too. #}
postings as (
    select
        sales_days.net_revenue,
        sales_days.cogs,
        sales_days.freight_cost,
        sales_days.lines_without_cost,
        sales_days.order_lines + sales_days.return_lines + sales_days.price_lines
            as posted_lines,
        {{ month_start('sales_days.posted_day') }} as month_start_date,
        case
            when excluded.customer_id is not null then 'excluded_customers'
            when customers.customer_id is not null then 'customers'
            else 'other'
        end as belongs_to
    from sales_days
    left join customers on sales_days.customer_id = customers.customer_id
    left join excluded on sales_days.customer_id = excluded.customer_id

    union all

    select
        0 as net_revenue,
        0 as cogs,
        0 as freight_cost,
        0 as lines_without_cost,
        0 as posted_lines,
        month_start_date,
        'other' as belongs_to
    from ledger
),

summed as (
    select
        month_start_date,
        belongs_to,
        sum(net_revenue) as net_revenue,
        sum(cogs) as cogs,
        sum(freight_cost) as freight_cost,
        sum(lines_without_cost) as lines_without_cost,
        sum(posted_lines) as posted_lines
    from postings
    group by month_start_date, belongs_to
),

spread as (
    {% for kind, column, is_found in kinds -%}
        select
            summed.month_start_date,
            '{{ kind }}' as account_kind,
            summed.belongs_to,
            summed.posted_lines,
            case when {{ is_found }} then summed.{{ column }} end as amount,
            {{ 'summed.lines_without_cost' if kind == 'cogs' else 'null' }}
                as lines_without_cost
        from summed
        cross join found
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

totalled as (
    select
        month_start_date,
        account_kind,
        {% for part in ['customers', 'excluded_customers', 'other'] -%}
            {{ to_money(
                "sum(case when belongs_to = '" ~ part
                ~ "' then amount when amount is not null then 0 end)"
            ) }} as {{ part }}_total,
        {% endfor -%}
        sum(lines_without_cost) as lines_without_cost,
        sum(posted_lines) as posted_lines
    from spread
    group by month_start_date, account_kind
)

select * from totalled
