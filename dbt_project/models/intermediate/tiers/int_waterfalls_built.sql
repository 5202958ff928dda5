{%- set of_products = [
    'volume_effect', 'price_effect', 'discount_effect', 'returns_effect', 'cost_effect',
    'freight_effect'
] -%}
{%- set other_costs = ['cost_to_serve', 'financing', 'bad_debt'] -%}
with
measured as (select * from {{ ref('int_effects_measured') }}),
margins as (select * from {{ ref('int_margins_converted') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
compared as (select * from {{ ref('int_receipts_compared') }}),
over_spells as (select * from {{ ref('int_spell_effects_measured') }}),

{# Those of customers that are not touched are of an earlier night: nothing changed since. A
   change that waited has those of its whole spell. #}
touched as (
    {{ of_touched(ref('int_effects_measured')) }}
),

{% set columns = of_products + ['customer_id', 'margin_before', 'quantity_completeness'] -%}
effects as (
    select
        {{- listed(columns, 'touched') }},
        cast(null as numeric(24, 6)) as margin_now
    from touched
    left join compared on touched.customer_id = compared.customer_id
    where not coalesce(compared.is_before_spell, false)

    union all

    select
        {{- listed(columns, 'over_spells') }},
        over_spells.margin_now
    from over_spells
),

{# What is left of the change of goods is the mix, cents of rounding included. #}
joined as (
    select
        contributions.customer_id,
        contributions.contribution_12m,
        compared.contribution_12m as contribution_12m_before,
        compared.contribution_12m_at_window_rates as before_at_window_rates,
        case
            when effects.customer_id is null then measured.quantity_completeness_alone
            else effects.quantity_completeness
        end as quantity_completeness,
        {% for effect in of_products -%}
            coalesce(effects.{{ effect }}, 0) as {{ effect }},
        {% endfor -%}
        {% for line in other_costs -%}
            coalesce(contributions.{{ line }}_12m, 0) as {{ line }}_now,
            coalesce(compared.{{ line }}_12m, 0) as {{ line }}_before,
        {% endfor -%}
        coalesce(effects.margin_now, margins.margin_at_constant_rates, 0) as margin_now,
        coalesce(effects.margin_before, margins.margin_at_constant_rates, 0)
            as margin_before,
        coalesce(margins.margin_at_window_rates, 0) as margin_at_window_rates
    from contributions
    left join measured on contributions.customer_id = measured.customer_id
    left join effects on contributions.customer_id = effects.customer_id
    left join margins on contributions.customer_id = margins.customer_id
    left join compared on contributions.customer_id = compared.customer_id
),

balanced as (
    select
        *,
        margin_now - margin_before
        {%- for effect in of_products %}
            - {{ effect }}
        {%- endfor %} as mix_effect,
        {% for line in other_costs -%}
            {{ line }}_before - {{ line }}_now as {{ line }}_effect,
        {% endfor -%}
        cost_to_serve_now + financing_now + bad_debt_now as other_costs_now,
        cost_to_serve_before + financing_before + bad_debt_before
            as other_costs_before,
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
        {% for effect in of_products + [
            'mix_effect', 'cost_to_serve_effect', 'financing_effect', 'bad_debt_effect'
        ] -%}
            case when contribution_12m_before is not null then {{ effect }} end
                as {{ effect }},
        {% endfor -%}
        margin_before - other_costs_before - contribution_before_at_constant_rates
            as restated_12m,
        contribution_12m - (margin_now - other_costs_now)
        - (contribution_12m_before - contribution_before_at_constant_rates)
            as fx_effect
    from balanced
)

select * from built
