{%- set without_rate -%}
    select
        product_costs.currency,
        min(product_costs.valid_from_date) as day
    from {{ ref('int_unit_costs_dated') }} as unit_costs
    inner join {{ ref('stg_erp__product_costs') }} as product_costs
        on
            unit_costs.product_id = product_costs.product_id
            and unit_costs.valid_from_date = product_costs.valid_from_date
    where unit_costs.unit_cost is null
    group by product_costs.currency
{%- endset -%}

{{ name_missing_rates(without_rate, 'erp.product_costs') }}
