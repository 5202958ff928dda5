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
product_days as (select * from {{ ref('int_product_days_touched') }}),
windows as (select * from {{ ref('int_windows_compared') }}),

dated as (
    select
        product_days.*,
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
    where not product_days.is_internal
),

valued as (
    select
        dated.customer_id,
        dated.product_id,
        dated.is_now,
        dated.is_before,
        dated.quantity,
    {% for name, rates in amounts.items() -%}
        dated.document_{{ name }} * {{ rates }}.constant_rate as {{ name }}
        {{- ',' if not loop.last }}
    {% endfor %}
    from dated
    inner join {{ ref('int_fx_rates_averaged') }} as sale_rates
        on dated.currency = sale_rates.currency
    inner join {{ ref('int_fx_rates_averaged') }} as cost_rates
        on dated.cost_currency = cost_rates.currency
    where dated.is_now or dated.is_before
),

compared as (
    select
        {% for window in ['now', 'before'] -%}
            {% for name in ['quantity'] + amounts.keys() | list -%}
                coalesce(sum(case when is_{{ window }} then {{ name }} end), 0)
                    as {{ name }}_{{ window }},
            {% endfor -%}
        {% endfor -%}
        customer_id,
        product_id
    from valued
    group by customer_id, product_id
)

select * from compared
