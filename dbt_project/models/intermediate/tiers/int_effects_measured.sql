{{ config(materialized='incremental') }}
with
products as (
    select
        *,
        quantity_now > 0 and quantity_before > 0 and gross_revenue_before > 0
        and (
            {% for name in ['quantity', 'gross_revenue', 'discounts', 'cost_of_sales'] -%}
                {{ name }}_now <> {{ name }}_before {{ 'or ' if not loop.last }}
            {%- endfor %}
        ) as has_terms
    from {{ ref('int_products_compared') }}
),

{# A product that cannot be compared has no growth, and so no term but the mix; one of which
   all is as it was, as are nearly all from night to night, has none. #}
scaled as (
    select
        *,
        case when has_terms then 1.0 * quantity_now / quantity_before end
            as growth,
        case when has_terms then discounts_before / gross_revenue_before end
            as discount_share_before
    from products
),

{# Quantity at the old margin of a unit, then price, discount and cost at the new one. #}
parted as (
    select
        *,
        (growth - 1)
        * (gross_revenue_before - discounts_before - cost_of_sales_before) as volume_effect,
        (1 - discount_share_before)
        * (gross_revenue_now - growth * gross_revenue_before) as price_effect,
        discount_share_before * gross_revenue_now - discounts_now as discount_effect,
        growth * cost_of_sales_before - cost_of_sales_now as cost_effect,
        (returns_before - cost_of_returns_before)
        - (returns_now - cost_of_returns_now) as returns_effect,
        freight_before - freight_now as freight_effect,
        {{ margin_of_goods('before') }} as margin_before,
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
            'cost_effect', 'freight_effect', 'margin_before'
        ] -%}
            {{ to_cents('coalesce(sum(' ~ amount ~ '), 0)') }} as {{ amount }},
        {% endfor -%}
        cast(sum(sales_with_quantity) / nullif(sum(sales), 0) as numeric(5, 4))
            as quantity_completeness,
        cast(sum(sales_with_quantity_now) / nullif(sum(sales_now), 0) as numeric(5, 4))
            as quantity_completeness_alone
    from parted
    group by customer_id
)

select * from summed
