{{ config(materialized='incremental') }}
{#- signal, orders of the baseline, orders now, baseline, value now, by how much it is worse, unit.
    A share of one order says nothing of three months; fewer orders are what a smaller basket is. -#}
{%- set measures = [
    ('shrinking_basket', 'sales_baseline_orders', none, 'sales_baseline', 'sales_now',
     '1 - sales_now / nullif(sales_baseline, 0)', 'base_currency_in_3_months'),
    ('price_anomaly', 'orders_before', 'orders_now', 'discount_share_baseline',
     'discount_share_now', 'discount_share_now - discount_share_baseline', 'discount_share_of_list'),
    ('return_anomaly', 'orders_before', 'orders_now', 'return_share_baseline',
     'return_share_now', 'return_share_now - return_share_baseline', 'return_share_of_sales'),
] -%}
with
baskets as (
    {{ of_touched(ref('int_baskets_compared')) }}
),

policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

measured as (
    {% for signal, orders, orders_now, baseline, current, deviation, unit in measures -%}
        select
            customer_id,
            step,
            baseline_months,
            '{{ signal }}' as signal,
            {{ orders }} as baseline_orders,
            {{ orders_now or 'cast(null as integer)' }} as current_orders,
            {{ baseline }} as baseline_value,
            {{ current }} as current_value,
            cast({{ deviation }} as numeric(18, 6)) as deviation,
            '{{ unit }}' as value_unit
        from baskets
        {% if not loop.last %}
            union all

        {% endif %}
    {%- endfor %}
),

{# Without a baseline there is no deviation, so an empty one holds nothing. #}
held as (
    select
        measured.*,
        measured.deviation / rules.threshold as severity,
        row_number() over (
            partition by measured.customer_id, measured.signal
            order by measured.step
        ) as held_number
    from measured
    inner join rules
        on
            measured.signal = rules.signal
            and measured.deviation > rules.threshold
            and measured.baseline_months >= rules.minimum_months
            and measured.baseline_orders >= rules.minimum_count
            and coalesce(measured.current_orders >= rules.minimum_count, true)
),

{# Month-ends without a break back from the newest one. #}
unbroken as (
    select
        customer_id,
        signal,
        max(step) as first_step
    from held
    where held_number = step + 1
    group by customer_id, signal
),

judged as (
    select
        held.customer_id,
        held.signal,
        {{ days_after(-1, months_before(
            'unbroken.first_step', month_start(days_after(1, 'policy.business_date'))
        )) }} as since,
        held.baseline_value,
        held.current_value,
        held.value_unit,
        held.severity,
        cast(case
            when held.signal = 'shrinking_basket' then held.deviation
            else 1
        end as numeric(7, 6)) as exposed_share,
        cast(null as {{ dbt.type_string() }}) as subject,
        {{ days_after(
            -1, month_start(days_after(1, 'policy.business_date'))
        ) }} as subject_date
    from held
    inner join unbroken
        on
            held.customer_id = unbroken.customer_id
            and held.signal = unbroken.signal
    cross join policy
    where held.step = 0
)

select * from judged
