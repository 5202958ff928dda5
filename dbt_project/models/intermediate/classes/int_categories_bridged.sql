{%- set quarters = ['now', 'before'] -%}
with
categories as (select * from {{ ref('int_categories_aggregated_to_quarters') }}),
rates as (select * from {{ ref('int_fx_rates_averaged') }}),

{# At the same rates, so that a category moves by what was sold. #}
valued as (
    select
        {% for line, sign in lines_of_goods().items() -%}
            {{ sign }} * categories.document_{{ line }}
            * {{ 'cost_rates' if 'cost' in line else 'sale_rates' }}.window_rate as {{ line }},
        {% endfor -%}
        categories.customer_id,
        categories.product_category,
        categories.which
    from categories
    inner join rates as sale_rates on categories.currency = sale_rates.currency
    inner join rates as cost_rates on categories.cost_currency = cost_rates.currency
),

summed as (
    select
        {% for quarter in quarters -%}
            {% for line in lines_of_goods() -%}
                {{ to_money(
                    "coalesce(sum(case when which = '" ~ quarter ~ "' then " ~ line ~ ' end), 0)'
                ) }} as {{ line }}_{{ quarter }},
            {% endfor -%}
        {% endfor -%}
        customer_id,
        product_category
    from valued
    group by customer_id, product_category
),

bridged as (
    select
        customer_id,
        product_category,
        {% for quarter in quarters -%}
            gross_revenue_{{ quarter }} + discounts_{{ quarter }} + returns_{{ quarter }}
            + freight_{{ quarter }} + cost_of_sales_{{ quarter }}
            + cost_of_returns_{{ quarter }} as amount_{{ quarter }},
        {% endfor -%}
        gross_revenue_now - gross_revenue_before as sales_effect,
        discounts_now - discounts_before as discount_effect,
        returns_now + cost_of_returns_now - returns_before - cost_of_returns_before
            as returns_effect,
        cost_of_sales_now - cost_of_sales_before as cost_effect,
        freight_now - freight_before as freight_effect
    from summed
)

select * from bridged
