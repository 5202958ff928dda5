{#- Amounts of product days, and whose currency they are in. -#}
{%- set amounts = {
    'gross_revenue': 'sale_rates',
    'discounts': 'sale_rates',
    'returns': 'sale_rates',
    'freight': 'sale_rates',
    'cost_of_sales': 'cost_rates',
    'cost_of_returns': 'cost_rates',
} -%}
with
product_days as (select * from {{ ref('fct_product_days') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
rates as (select * from {{ ref('int_fx_rates_averaged') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

{# One night under one policy; with a maximum a planner knows that it is one row. #}
window_before as (
    select
        max(remembered.business_date) as business_date,
        max(
            {{ months_before('policies.window_months', 'remembered.business_date') }}
        ) as window_start_date
    from {{ ref('stg_bi__tier_decisions') }} as remembered
    inner join {{ ref('tier_policies') }} as measured on remembered.policy_id = measured.policy_id
    inner join {{ ref('tier_policies') }} as policies on measured.measured_as = policies.policy_id
),

{# The window of the night before as it is known now, beside the window of this night. #}
dated as (
    select
        product_days.*,
        customers.survivor_id,
        case when product_days.day > policy.window_start_date then 1 else 0 end
            as is_now,
        case
            when
                product_days.posted_day <= window_before.business_date
                and product_days.day > window_before.window_start_date
                then 1
            else 0
        end as is_before
    from product_days
    inner join customers on product_days.customer_id = customers.customer_id
    inner join policy on product_days.posted_day <= policy.business_date
    left join window_before on policy.business_date > window_before.business_date
    where not customers.is_internal
),

valued as (
    select
        dated.survivor_id,
        dated.product_id,
        dated.is_now,
        dated.is_before,
        dated.quantity,
        {% for name, rates in amounts.items() -%}
            dated.document_{{ name }} * {{ rates }}.constant_rate as {{ name }},
        {% endfor -%}
        sale_rates.window_rate * (
            dated.document_gross_revenue - dated.document_discounts
            - dated.document_returns - dated.document_freight
        ) - cost_rates.window_rate
        * (dated.document_cost_of_sales - dated.document_cost_of_returns)
            as margin_at_window_rates
    from dated
    inner join rates as sale_rates on dated.currency = sale_rates.currency
    inner join rates as cost_rates on dated.cost_currency = cost_rates.currency
    where dated.is_now + dated.is_before > 0
),

compared as (
    select
        survivor_id as customer_id,
        product_id,
        {% for window in ['now', 'before'] -%}
            {% for name in ['quantity'] + amounts.keys() | list -%}
                sum(is_{{ window }} * {{ name }}) as {{ name }}_{{ window }},
            {% endfor -%}
        {% endfor -%}
        sum(is_now * margin_at_window_rates) as margin_at_window_rates
    from valued
    group by survivor_id, product_id
)

select * from compared
