{#- The P&L in its order, by the names that tables and mails give its lines, parts of a
    line after a dot. Of those without a flag no entity of the contract knows anything. -#}
{%- set lines = [
    ('discounts', 'has_discounts'),
    ('rebates', none),
    ('cogs', 'has_cogs'),
    ('freight', 'has_freight'),
    ('packaging', none),
    ('payment_fees', none),
    ('commissions', none),
    ('cost_to_serve', 'has_cost_to_serve'),
    ('cost_to_serve.visits', 'has_visits'),
    ('cost_to_serve.calls', 'has_calls'),
    ('cost_to_serve.tickets', 'has_tickets'),
    ('cost_to_serve.custom_work', none),
    ('financing', 'has_financing'),
    ('bad_debt', 'has_bad_debt'),
    ('bad_debt.provision_change', none),
    ('retention_and_loyalty_benefits', none),
] -%}
with
sales_days as (select * from {{ ref('int_sales_days_known') }}),
receivables as (select * from {{ ref('stg_erp__receivables') }}),
service_days as (select * from {{ ref('int_services_aggregated_to_days') }}),
cost_rates as (
    {{ rows_of_source(ref('cost_rates'), ['driver'], amounts=['rate']) }}
),

sales_counted as (
    select
        count(*) as sales_days,
        coalesce(sum(lines_with_discount), 0) as lines_with_discount,
        coalesce(sum(lines_with_freight), 0) as lines_with_freight,
        coalesce(sum(order_lines + return_lines - lines_without_cost), 0)
            as lines_with_cost
    from sales_days
),

receivables_counted as (
    select
        count(*) as receivables,
        count(case
            when
                written_off_amount = 0
                or coalesce(paid_date, due_date) <= {{ business_date() }}
                then written_off_amount
        end) as write_offs
    from receivables
    where issued_date <= {{ business_date() }}
),

services_counted as (
    select
        count(*) as service_days,
        coalesce(sum(visit_minutes), 0) as visit_minutes,
        coalesce(sum(calls), 0) as calls,
        coalesce(sum(tickets), 0) as tickets
    from service_days
    where day <= {{ business_date() }}
),

rates_counted as (
    select
        count(rate) as rates,
        count(case when driver = 'visit_hour' then rate end) as visit_rates,
        count(case when driver = 'call' then rate end) as call_rates,
        count(case when driver = 'ticket' then rate end) as ticket_rates
    from cost_rates
),

found as (
    select
        sales_counted.lines_with_discount > 0 as has_discounts,
        sales_counted.lines_with_cost > 0 as has_cogs,
        sales_counted.lines_with_freight > 0 as has_freight,
        rates_counted.rates > 0
        and sales_counted.sales_days + services_counted.service_days
        > 0 as has_cost_to_serve,
        services_counted.service_days > 0 and rates_counted.rates > 0 as has_services,
        services_counted.visit_minutes > 0 and rates_counted.visit_rates > 0
            as has_visits,
        services_counted.calls > 0 and rates_counted.call_rates > 0 as has_calls,
        services_counted.tickets > 0 and rates_counted.ticket_rates > 0 as has_tickets,
        receivables_counted.receivables > 0 as has_financing,
        receivables_counted.write_offs > 0 as has_bad_debt
    from sales_counted
    cross join receivables_counted
    cross join services_counted
    cross join rates_counted
),

listed as (
    select
        *,
        trim(trailing ',' from concat(
            {% for line, flag in lines -%}
                {% if flag -%}
                    case when {{ flag }} then '' else '{{ line }},' end
                {%- else -%}
                    '{{ line }},'
                {%- endif -%}
                {{ ',' if not loop.last }}
            {% endfor %}
        )) as missing_lines
    from found
)

select * from listed
