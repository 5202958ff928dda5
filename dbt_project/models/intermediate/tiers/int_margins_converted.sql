with
margins as (select * from {{ ref('int_margins_aggregated') }}),
rates as (select * from {{ ref('int_fx_rates_averaged') }}),

converted as (
    select
        margins.customer_id,
    {% for rate in ['constant', 'window'] -%}
            {{ to_money(
                'sum(margins.document_margin * sale_rates.' ~ rate ~ '_rate'
                ~ ' - margins.document_cost * cost_rates.' ~ rate ~ '_rate)'
            ) }} as margin_at_{{ rate }}_rates{{ ',' if not loop.last }}
    {% endfor %}
    from margins
    inner join rates as sale_rates on margins.currency = sale_rates.currency
    inner join rates as cost_rates on margins.cost_currency = cost_rates.currency
    group by margins.customer_id
)

select * from converted
