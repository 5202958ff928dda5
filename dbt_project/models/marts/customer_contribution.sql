{{ config(materialized='incremental', on_schema_change='fail') }}
{%- set lines = [
    'gross_revenue', 'discounts', 'returns', 'net_revenue', 'cogs', 'freight_cost',
    'cost_to_serve', 'acquisition_cost', 'development_cost', 'retention_cost',
    'receivable_financing_cost', 'bad_debt_cost'
] -%}
{%- set counts = [
    'order_lines', 'orders', 'lines_without_cost', 'return_lines_matched',
    'return_lines_without_sale'
] -%}
with
months as (
    {{ of_touched_months(ref('int_contributions_aggregated_to_months')) }}
),

policy as (select * from {{ ref('int_policies_selected') }}),
found as (select * from {{ ref('int_profit_lines_found') }}),

{# Only a month in which a window begins has several rows; few are sorted for it. #}
starts as (
    select {{ month_start('window_start_date') }} as month_start_date
    from policy

    union

    select {{ month_start('window_before_start_date') }} as month_start_date
    from policy
),

summed as (
    select
        {% for column in lines + counts -%}
            months.{{ column }},
        {% endfor -%}
        months.customer_id,
        months.month_start_date
    from months
    left join starts on months.month_start_date = starts.month_start_date
    where starts.month_start_date is null

    union all

    select
        {% for column in lines + counts -%}
            sum(months.{{ column }}) as {{ column }},
        {% endfor -%}
        months.customer_id,
        months.month_start_date
    from months
    inner join starts on months.month_start_date = starts.month_start_date
    group by months.customer_id, months.month_start_date
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
            cast(margins.{{ line }} as numeric(24, 6)) as {{ line }},
        {% endfor -%}
        {% for column in counts -%}
            cast(margins.{{ column }} as integer) as {{ column }},
        {% endfor -%}
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
