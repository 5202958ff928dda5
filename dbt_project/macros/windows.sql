{# Amounts of product days, and whose currency they are in. #}
{% macro amounts_of_products() -%}
    {{ return({
        'gross_revenue': 'sale_rates',
        'discounts': 'sale_rates',
        'returns': 'sale_rates',
        'freight': 'sale_rates',
        'cost_of_sales': 'cost_rates',
        'cost_of_returns': 'cost_rates',
    }) }}
{%- endmacro %}


{# Steps from product days to `compared`: what each product of a customer brought in tonight's
   window and in that of the night compared with, both as known tonight, at that night's rates.

   `dated` are product days with is_now and is_before; `rates` have a constant_rate per currency,
   and per night compared with where customers have nights of their own. #}
{% macro products_compared(dated, rates, own_nights=false) -%}
valued as (
    select
        dated.customer_id,
        dated.product_id,
        dated.is_now,
        dated.is_before,
        dated.quantity,
    {% for name, its_rates in amounts_of_products().items() -%}
        dated.document_{{ name }} * {{ its_rates }}.constant_rate as {{ name }}
        {{- ',' if not loop.last }}
    {% endfor %}
    from {{ dated }} as dated
    {% for currency, sale_or_cost in [
        ('currency', 'sale_rates'), ('cost_currency', 'cost_rates')
    ] -%}
        inner join {{ rates }} as {{ sale_or_cost }}
            on
                dated.{{ currency }} = {{ sale_or_cost }}.currency
        {%- if own_nights %}
                and dated.compared_with = {{ sale_or_cost }}.compared_with
        {%- endif %}
    {% endfor -%}
    where dated.is_now or dated.is_before
),

compared as (
    select
        {% for window in ['now', 'before'] -%}
        {% for name in ['quantity'] + amounts_of_products().keys() | list -%}
        coalesce(sum(case when is_{{ window }} then {{ name }} end), 0)
                    as {{ name }}_{{ window }},
            {% endfor -%}
    {% endfor -%}
        customer_id,
        product_id
    from valued
    group by customer_id, product_id
)
{%- endmacro %}


{# Steps from products of two windows to `summed`: what they did to the margin of goods. #}
{% macro effects_measured(products) -%}
products as (
    select
        *,
        quantity_now > 0 and quantity_before > 0 and gross_revenue_before > 0
        and (
            {% for name in ['quantity', 'gross_revenue', 'discounts', 'cost_of_sales'] -%}
        {{ name }}_now <> {{ name }}_before {{ 'or ' if not loop.last }}
    {%- endfor %}
        ) as has_terms
    from {{ products }}
),

{# A product that cannot be compared has no growth, and so no term but the mix; one of which
   all is as it was, as are nearly all from night to night, has none. #}
scaled as (
    select
        *,
        case when has_terms then 1.0 * quantity_now / quantity_before end
            as growth,
        case when has_terms then discounts_before / gross_revenue_before end
            as discount_share_before,
        {# deductions and surcharges are price and discount, not a mix of goods #}
        quantity_now = 0
        and quantity_before = 0
        and cost_of_sales_now = 0
        and cost_of_sales_before = 0 as is_money_only
    from products
),

{# Quantity at the old margin of a unit, then price, discount and cost at the new one. #}
parted as (
    select
        *,
        (growth - 1)
        * (gross_revenue_before - discounts_before - cost_of_sales_before) as volume_effect,
        case
            when is_money_only then gross_revenue_now - gross_revenue_before
            else
                (1 - discount_share_before)
                * (gross_revenue_now - growth * gross_revenue_before)
        end as price_effect,
        case
            when is_money_only then discounts_before - discounts_now
            else discount_share_before * gross_revenue_now - discounts_now
        end as discount_effect,
        growth * cost_of_sales_before - cost_of_sales_now as cost_effect,
        (returns_before - cost_of_returns_before)
        - (returns_now - cost_of_returns_now) as returns_effect,
        freight_before - freight_now as freight_effect,
        {{ margin_of_goods('before') }} as margin_before,
        {{ margin_of_goods('now') }} as margin_now,
        abs(gross_revenue_now) as sales_now,
        case when quantity_now > 0 then abs(gross_revenue_now) else 0 end
            as sales_with_quantity_now,
        abs(gross_revenue_now) + abs(gross_revenue_before) as sales,
        case when quantity_now > 0 then abs(gross_revenue_now) else 0 end
        + case when quantity_before > 0 then abs(gross_revenue_before) else 0 end
            as sales_with_quantity
    from scaled
),

summed as (
    select
        customer_id,
        {% for amount in [
            'volume_effect', 'price_effect', 'discount_effect', 'returns_effect',
            'cost_effect', 'freight_effect', 'margin_before', 'margin_now'
        ] -%}
    {{ to_money('coalesce(sum(' ~ amount ~ '), 0)') }} as {{ amount }},
        {% endfor -%}
        cast(sum(sales_with_quantity) / nullif(sum(sales), 0) as numeric(5, 4))
            as quantity_completeness,
        cast(sum(sales_with_quantity_now) / nullif(sum(sales_now), 0) as numeric(5, 4))
            as quantity_completeness_alone
    from parted
    group by customer_id
)
{%- endmacro %}
