{#- Amounts of product days, the column of their currency, and what they do to the margin. -#}
{%- set amounts = {
    'gross_revenue': ('currency', 1),
    'discounts': ('currency', -1),
    'cost_of_sales': ('cost_currency', -1),
    'returns': ('currency', -1),
    'cost_of_returns': ('cost_currency', 1),
    'freight': ('currency', -1),
} -%}
with

product_days as (

    select * from {{ ref('fct_product_days') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

rates as (

    select * from {{ ref('int_fx_rates_averaged') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

window_before as (

    select distinct
        remembered.business_date,
        {{ months_before('policies.window_months', 'remembered.business_date') }}
            as window_start_date

    from {{ ref('stg_bi__tier_decisions') }} as remembered

    inner join {{ ref('tier_policies') }} as measured
        on remembered.policy_id = measured.policy_id

    inner join {{ ref('tier_policies') }} as policies
        on measured.measured_as = policies.policy_id

),

{# The window of the night before as it is known now, beside the window of this night. #}
dated as (

    select
        product_days.*,
        customers.survivor_id,
        case when product_days.day > policy.window_start_date then 1 else 0 end
            as is_now,
        case
            when
                product_days.posted_day <= window_before.business_date
                and product_days.day > window_before.window_start_date
                then 1
            else 0
        end as is_before

    from product_days

    inner join customers
        on product_days.customer_id = customers.customer_id

    inner join policy
        on product_days.posted_day <= policy.business_date

    left join window_before
        on policy.business_date > window_before.business_date

    where not customers.is_internal

),

valued as (

    select
        dated.survivor_id,
        dated.product_id,
        dated.is_now,
        dated.is_before,
        dated.quantity,
        {% for name, (currency, _) in amounts.items() -%}
            dated.document_{{ name }} * {{ currency }}_rates.constant_rate
                as {{ name }},
        {% endfor -%}
        {% for name, (currency, effect) in amounts.items() -%}
            {{ '+' if effect > 0 else '-' }} dated.document_{{ name }}
            * {{ currency }}_rates.window_rate
        {% endfor -%}
        as margin_at_window_rates

    from dated

    inner join rates as currency_rates
        on dated.currency = currency_rates.currency

    inner join rates as cost_currency_rates
        on dated.cost_currency = cost_currency_rates.currency

    where dated.is_now + dated.is_before > 0

),

compared as (

    select
        survivor_id as customer_id,
        product_id,
        {% for window in ['now', 'before'] -%}
            {% for name in ['quantity'] + amounts.keys() | list -%}
                sum(is_{{ window }} * {{ name }}) as {{ name }}_{{ window }},
            {% endfor -%}
        {% endfor -%}
        sum(is_now * margin_at_window_rates) as margin_at_window_rates

    from valued
    group by
        survivor_id,
        product_id

)

select * from compared
