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
windows as (
    select
        policy.business_date,
        policy.window_start_date,
        window_before.business_date as before_date,
        window_before.window_start_date as before_start_date,
        least(policy.window_start_date, window_before.window_start_date) as start_date
    from policy
    left join window_before on policy.business_date > window_before.business_date
),

dated as (
    select
        product_days.*,
        customers.survivor_id,
        product_days.day > windows.window_start_date as is_now,
        coalesce(
            product_days.posted_day <= windows.before_date
            and product_days.day > windows.before_start_date,
            false
        ) as is_before
    from product_days
    inner join windows
        on
            product_days.day > windows.start_date
            and product_days.posted_day <= windows.business_date
    inner join customers on product_days.customer_id = customers.customer_id
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
        case
            when dated.is_now
                then sale_rates.window_rate * (
                    dated.document_gross_revenue - dated.document_discounts
                    - dated.document_returns - dated.document_freight
                ) - cost_rates.window_rate
                * (dated.document_cost_of_sales - dated.document_cost_of_returns)
        end as margin_at_window_rates
    from dated
    inner join {{ ref('int_fx_rates_averaged') }} as sale_rates
        on dated.currency = sale_rates.currency
    inner join {{ ref('int_fx_rates_averaged') }} as cost_rates
        on dated.cost_currency = cost_rates.currency
    where dated.is_now or dated.is_before
),

compared as (
    select
        survivor_id as customer_id,
        product_id,
        {% for window in ['now', 'before'] -%}
            {% for name in ['quantity'] + amounts.keys() | list -%}
                coalesce(sum(case when is_{{ window }} then {{ name }} end), 0)
                    as {{ name }}_{{ window }},
            {% endfor -%}
        {% endfor -%}
        coalesce(sum(margin_at_window_rates), 0) as margin_at_window_rates
    from valued
    group by survivor_id, product_id
)

select * from compared
