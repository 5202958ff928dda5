{%- set key = [
    'day', 'customer_id', 'posted_day', 'product_id', 'currency', 'cost_currency'
] -%}
{%- set amounts = {
    'document_gross_revenue': 'case when not is_return then document_list_amount end',
    'document_discounts':
        'case when not is_return then document_list_amount - document_net_amount end',
    'document_cost_of_sales': 'case when not is_return then document_cost_amount end',
    'document_returns': 'case when is_return then -document_net_amount end',
    'document_cost_of_returns': 'case when is_return then -document_cost_amount end',
    'document_freight': 'document_freight_amount',
} -%}
{{
    config(
        materialized='incremental',
        pre_hook=["{{ delete_dirty_days_from(this) }}"],
    )
}}
with
invoice_lines as (select * from {{ ref('int_invoice_lines_costed') }}),

summed as (
    select
        {{ key | join(',\n        ') }},
        cast(sum(case when is_goods and not is_return then 1 else 0 end) as integer)
            as order_lines,
        coalesce(sum(case when not is_return then quantity end), 0) as quantity,
    {% for name, amount in amounts.items() -%}
        cast(coalesce(sum({{ amount }}), 0) as numeric(24, 6)) as {{ name }}
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
