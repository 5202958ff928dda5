{%- set of_products = ['volume', 'price', 'discount', 'returns', 'cost', 'freight'] -%}
{%- set of_customers = ['cost_to_serve', 'financing', 'bad_debt'] -%}
with

effects as (

    select * from {{ ref('int_effects_measured') }}

),

contributions as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

),

remembered as (

    select * from {{ ref('stg_bi__tier_decisions') }}

),

{# What is left of the change of goods is the mix, cents of rounding included. #}
joined as (

    select
        contributions.customer_id,
        contributions.contribution_12m,
        remembered.contribution_12m as contribution_12m_before,
        remembered.contribution_12m_at_window_rates as before_at_window_rates,
        effects.quantity_completeness,
        {% for term in of_products -%}
            coalesce(effects.{{ term }}, 0) as {{ term }},
        {% endfor -%}
        {% for term in of_customers -%}
            coalesce(contributions.{{ term }}_12m, 0) as {{ term }}_now,
            coalesce(remembered.{{ term }}_12m, 0) as {{ term }}_before,
        {% endfor -%}
        coalesce(effects.margin_now, 0) as margin_now,
        coalesce(effects.margin_before, 0) as margin_before,
        coalesce(effects.margin_at_window_rates, 0) as margin_at_window_rates

    from contributions

    left join effects
        on contributions.customer_id = effects.customer_id

    left join remembered
        on contributions.customer_id = remembered.customer_id

),

balanced as (

    select
        *,
        margin_now - margin_before - ({{ of_products | join(' + ') }}) as mix,
        {% for term in of_customers -%}
            {{ term }}_before - {{ term }}_now as {{ term }},
        {% endfor -%}
        {% for window in ['now', 'before'] -%}
            {{ of_customers | join('_' ~ window ~ ' + ') }}_{{ window }}
                as other_costs_{{ window }},
        {% endfor -%}
        coalesce(before_at_window_rates, contribution_12m_before)
            as contribution_before_at_constant_rates

    from joined

),

{# Rates: what tonight's window gains by its own, less what the window before had gained. #}
built as (

    select
        customer_id,
        quantity_completeness,
        margin_now - other_costs_now as contribution_12m_constant,
        margin_at_window_rates - other_costs_now as contribution_12m_at_window_rates,
        {% for term in of_products + of_customers + ['mix'] -%}
            case when contribution_12m_before is not null then {{ term }} end
                as {{ term }}_effect,
        {% endfor -%}
        margin_before - other_costs_before - contribution_before_at_constant_rates
            as restated_12m,
        contribution_12m - (margin_now - other_costs_now)
        - (contribution_12m_before - contribution_before_at_constant_rates)
            as fx_effect

    from balanced

)

select * from built
