{# The terms into which the change of a contribution since the night compared with falls,
   in the order of the P&L, and the column of each: what it did to the contribution.
   README.md defines them. #}
{% macro waterfall_terms() -%}
    {{ return({
        'volume': 'volume_effect',
        'price': 'price_effect',
        'mix': 'mix_effect',
        'discount': 'discount_effect',
        'returns': 'returns_effect',
        'cost': 'cost_effect',
        'freight': 'freight_effect',
        'cost_to_serve': 'cost_to_serve_effect',
        'financing': 'financing_effect',
        'bad_debt': 'bad_debt_effect',
        'restated': 'restated_12m',
        'fx': 'fx_effect',
    }) }}
{%- endmacro %}


{# What a receipt says of money beyond the lines of the P&L. #}
{% macro waterfall_columns() -%}
    {{ return(waterfall_terms().values() | list + [
        'quantity_completeness', 'contribution_12m_constant',
        'contribution_12m_at_window_rates'
    ]) }}
{%- endmacro %}


{# What goods brought, from columns of a product that end in _now or _before. #}
{% macro margin_of_goods(window) -%}
    gross_revenue_{{ window }} - discounts_{{ window }} - cost_of_sales_{{ window }}
        - returns_{{ window }} + cost_of_returns_{{ window }} - freight_{{ window }}
{%- endmacro %}
