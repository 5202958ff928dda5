{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['posted_day', 'customer_id']}],
        pre_hook=["{{ delete_dirty_days_from(this) }}"],
    )
}}
with
invoice_lines as (select * from {{ ref('int_invoice_lines_costed') }}),

signed as (
    select
        *,
        case when is_goods and not is_return then 1 else 0 end as sale_line,
        case when is_return then 1 else 0 end as return_line,
        case when is_goods then 0 else 1 end as price_line,
        case when not is_return then list_amount end as sold_amount,
        case when not is_return then list_amount - net_amount end as discount_amount,
        case when is_return then -net_amount end as returned_amount
    from invoice_lines
),

summed as (
    select
        customer_id,
        day,
        posted_day,
        coalesce(sum(sold_amount), 0) as gross_revenue,
        coalesce(sum(discount_amount), 0) as discounts,
        coalesce(sum(returned_amount), 0) as returns,
        coalesce(sum(net_amount), 0) as net_revenue,
        coalesce(sum(cost_amount), 0) as cogs,
        coalesce(sum(freight_amount), 0) as freight_cost,
        sum(sale_line) as order_lines,
        count(distinct case when sale_line = 1 then order_id end) as orders,
        count(distinct case when sale_line = 1 then invoice_id end) as drops,
        coalesce(sum(case when not is_without_sale then quantity end), 0) as units,
        sum(return_line) as return_lines,
        sum(price_line) as price_lines,
        sum(case when has_discount then 1 else 0 end) as lines_with_discount,
        sum(case when has_freight then 1 else 0 end) as lines_with_freight,
        sum(case when has_cost then 0 else 1 end) as lines_without_cost,
        sum(case when has_rate then 0 else 1 end) as lines_without_rate,
        sum(case when is_matched then 1 else 0 end) as return_lines_matched,
        sum(case when is_without_sale then 1 else 0 end) as return_lines_without_sale
    from signed
    group by day, customer_id, posted_day
),

typed as (
    select
        customer_id,
        day,
        posted_day,
        {% for amount in [
            'gross_revenue', 'discounts', 'returns', 'net_revenue', 'cogs', 'freight_cost'
        ] -%}
            cast({{ amount }} as numeric(24, 6)) as {{ amount }},
        {% endfor -%}
        units,
        {% for number in [
            'order_lines', 'orders', 'drops', 'return_lines', 'price_lines', 'lines_with_discount',
            'lines_with_freight', 'lines_without_cost', 'lines_without_rate',
            'return_lines_matched', 'return_lines_without_sale'
        ] -%}
        cast({{ number }} as integer) as {{ number }}{{ ',' if not loop.last }}
    {% endfor %}
    from summed
)

select *
from typed
order by day, customer_id, posted_day
