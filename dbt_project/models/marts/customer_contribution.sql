{%- set lines = [
    'gross_revenue', 'discounts', 'returns', 'net_revenue', 'cogs', 'freight_cost',
    'cost_to_serve', 'acquisition_cost', 'development_cost', 'retention_cost',
    'receivable_financing_cost', 'bad_debt_cost'
] -%}
with
months as (select * from {{ ref('int_contributions_aggregated_to_months') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

summed as (
    select
        customer_id,
        month_start_date,
        {% for line in lines -%}
            sum({{ line }}) as {{ line }},
        {% endfor -%}
        cast(sum(order_lines) as integer) as order_lines,
        cast(sum(orders) as integer) as orders,
        cast(sum(lines_without_cost) as integer) as lines_without_cost,
        cast(sum(return_lines_matched) as integer) as return_lines_matched,
        cast(sum(return_lines_without_sale) as integer) as return_lines_without_sale
    from months
    group by customer_id, month_start_date
),

margins as (
    select
        *,
        {{ margin('cm1') }} as cm1,
        {{ margin('cm2') }} as cm2,
        {{ margin('cm3') }} as cm3,
        {{ margin('contribution') }} as contribution
    from summed
),

typed as (
    select
        margins.customer_id,
        margins.month_start_date,
        {% for line in [
            'gross_revenue', 'discounts', 'returns', 'net_revenue', 'cogs', 'cm1',
            'freight_cost', 'cm2', 'cost_to_serve', 'acquisition_cost',
            'development_cost', 'retention_cost', 'cm3',
            'receivable_financing_cost', 'bad_debt_cost', 'contribution'
        ] -%}
            cast(margins.{{ line }} as numeric(18, 2)) as {{ line }},
        {% endfor -%}
        margins.order_lines,
        margins.orders,
        margins.lines_without_cost,
        margins.return_lines_matched,
        margins.return_lines_without_sale,
        found.missing_lines,
        case
            when margins.net_revenue > 0
                then cast(
                    100 * margins.contribution / margins.net_revenue as numeric(18, 4)
                )
        end as contribution_margin_pct,
        margins.month_start_date = {{ month_start('policy.business_date') }}
            as is_provisional
    from margins
    cross join policy
    cross join found
)

select * from typed
