{# A margin of the P&L, from the columns of months or of the window: net revenue less
   the lines up to it. A line without data counts as 0. #}
{% macro margin(name, of_window=false) -%}
    {%- set margins = ['cm1', 'cm2', 'cm3', 'contribution'] -%}
    {%- set lines = [
        ('cm1', 'cogs', 'cogs_12m'),
        ('cm2', 'freight_cost', 'freight_12m'),
        ('cm3', 'cost_to_serve', 'cost_to_serve_12m'),
        ('contribution', 'receivable_financing_cost', 'financing_12m'),
        ('contribution', 'bad_debt_cost', 'bad_debt_12m'),
    ] -%}
    {{ 'net_revenue_12m' if of_window else 'net_revenue' }}
    {%- for lowers, of_month, of_twelve in lines
        if margins.index(lowers) <= margins.index(name) %}
        - coalesce({{ of_twelve if of_window else of_month }}, 0)
    {%- endfor %}
{%- endmacro %}


{# 1 in the window that ends on the business date, 2 in the one before, else 0; `policy`
   is int_policies_selected. #}
{% macro window_number(date) -%}
    case
        when {{ date }} > policy.window_start_date then 1
        when {{ date }} > policy.window_before_start_date then 2
        else 0
    end
{%- endmacro %}
