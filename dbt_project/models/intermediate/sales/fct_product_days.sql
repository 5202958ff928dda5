{%- set key = [
    'day', 'customer_id', 'posted_day', 'product_id', 'currency', 'cost_currency'
] -%}
{%- set amounts = {
    'document_gross_revenue': 'sale_line * document_list_amount',
    'document_discounts': 'sale_line * (document_list_amount - document_net_amount)',
    'document_cost_of_sales': 'sale_line * document_cost_amount',
    'document_returns': 'return_line * document_net_amount',
    'document_cost_of_returns': 'return_line * document_cost_amount',
    'document_freight': 'document_freight_amount',
} -%}
{{
    config(
        materialized='incremental',
        pre_hook=[
            "{{ widen_dirty_days_by_prices() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
            "{{ widen_dirty_days_by_returns() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
            "{{ delete_dirty_days_from(this) }}",
        ],
    )
}}
-- after {{ ref('int_prices_dated') }},
-- {{ ref('int_prices_remembered') }}
-- and {{ ref('stg_erp__invoice_lines') }}, which tell the days that new prices and returns touch

with
invoice_lines as (
    select
        *,
        case when is_return then 0 else 1 end as sale_line,
        case when is_return then -1 else 0 end as return_line
    from {{ ref('int_invoice_lines_costed') }}
),

summed as (
    select
        {{ key | join(',\n        ') }},
        cast(sum(sale_line) as integer) as order_lines,
        coalesce(sum(sale_line * quantity), 0) as quantity,
    {% for name, amount in amounts.items() -%}
        cast(coalesce(sum({{ amount }}), 0) as numeric(18, 2)) as {{ name }}
        {{- ',' if not loop.last }}
    {% endfor %}
    from invoice_lines
    group by
        {{ key | join(',\n        ') }}
)

select *
from summed
order by
    {{ key | join(',\n    ') }}
