{# How the books round (source.yml, `rounding`), so that sums of lines are those of the ledger:
       month       not before they are summed: amounts count as delivered
       document    the total of each document
       line        each line
   A document is rounded for each day that its lines count on: a credit note takes back sales of
   several days. #}
{% macro as_booked(amount) -%}
    {%- if var('rounding') == 'line' -%}
        {{ rounded(amount) }}
    {%- elif var('rounding') == 'document' -%}
        {%- set document = 'partition by invoice_id, customer_id, day, posted_day, currency' -%}
        {#- One line takes what rounding adds, the first that has such an amount. -#}
        cast({{ to_money(amount) }} + case
            when row_number() over (
                {{ document }}
                order by case when {{ amount }} is null then 1 else 0 end, line_no
            ) = 1
                then
                    {{ rounded('sum(' ~ amount ~ ') over (' ~ document ~ ')') }}
                    - sum({{ to_money(amount) }}) over ({{ document }})
            else 0
        end as numeric(24, 6))
    {%- else -%}
        {{ to_money(amount) }}
    {%- endif -%}
{%- endmacro %}


{# What stands in the books as one amount, such as a bill. #}
{% macro bill_as_booked(amount) -%}
    {{ to_money(amount) if var('rounding') == 'month' else rounded(amount) }}
{%- endmacro %}


{# To the smallest unit of the base currency. #}
{% macro rounded(amount) -%}
    {{ to_money('round(' ~ amount ~ ', ' ~ minor_unit(var('base_currency')) ~ ')') }}
{%- endmacro %}


{# Such amounts, each under its own name. #}
{% macro booked(amounts) -%}
    {%- for amount in amounts -%}
        {{ as_booked(amount) }} as {{ amount }}{{ ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}


{# Decimals of a currency's smallest unit (ISO 4217). #}
{% macro minor_unit(currency) -%}
    {%- set decimals = {
        'BIF': 0, 'CLP': 0, 'DJF': 0, 'GNF': 0, 'ISK': 0, 'JPY': 0, 'KMF': 0, 'KRW': 0,
        'PYG': 0, 'RWF': 0, 'UGX': 0, 'UYI': 0, 'VND': 0, 'VUV': 0, 'XAF': 0, 'XOF': 0,
        'XPF': 0, 'BHD': 3, 'IQD': 3, 'JOD': 3, 'KWD': 3, 'LYD': 3, 'OMR': 3, 'TND': 3,
        'CLF': 4, 'UYW': 4,
    } -%}
    {{ return(decimals.get(currency, 2)) }}
{%- endmacro %}
