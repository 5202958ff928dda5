{# Two quarters of whole months: the last three that are over on the business date, and the same
   months a year before; 0 is the newer one. #}
{% macro quarter_start(years_before=0) -%}
    {{ months_before(
        3 + 12 * years_before, month_start(days_after(1, business_date()))
    ) }}
{%- endmacro %}


{# The day after it. #}
{% macro quarter_end(years_before=0) -%}
    {{ months_before(12 * years_before, month_start(days_after(1, business_date()))) }}
{%- endmacro %}


{# 'now' or 'before' for a day in one of them, else empty. #}
{% macro quarter_of(day) -%}
    case
        when {{ day }} >= {{ quarter_start() }} and {{ day }} < {{ quarter_end() }}
            then 'now'
        when {{ day }} >= {{ quarter_start(1) }} and {{ day }} < {{ quarter_end(1) }}
            then 'before'
    end
{%- endmacro %}


{# What goods earned, in the order of the P&L, and what each does to the contribution. #}
{% macro lines_of_goods() -%}
    {{ return({
        'gross_revenue': 1, 'discounts': -1, 'returns': -1, 'freight': -1,
        'cost_of_sales': -1, 'cost_of_returns': 1,
    }) }}
{%- endmacro %}
