{%- set columns = [
    'customer_id', 'signal', 'since', 'baseline_value', 'current_value', 'value_unit',
    'severity', 'exposed_share', 'subject', 'subject_date'
] -%}
{%- set signals = [
    ref('int_cadences_lapsed'), ref('int_baskets_judged'), ref('int_payments_lapsed'),
    ref('int_complaints_left_open'), ref('int_owners_changed')
] -%}
with
categories as (select * from {{ ref('int_categories_compared') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

signals as (
    {% for relation in signals -%}
        select
            {{ columns | join(',\n            ') }}
        from {{ relation }}

        union all

    {% endfor -%}
    select
        categories.customer_id,
        'category_loss' as signal,
        categories.lost_since as since,
        categories.usual_days as baseline_value,
        {{ dbt.datediff(
            'categories.last_order_date', 'policy.business_date', 'day'
        ) }} as current_value,
        'days_between_orders' as value_unit,
        {{ dbt.datediff(
            'categories.last_order_date', 'policy.business_date', 'day'
        ) }} / (rules.threshold * categories.usual_days) as severity,
        categories.lost_share as exposed_share,
        categories.lost_category as subject,
        categories.last_order_date as subject_date
    from categories
    cross join policy
    inner join rules on rules.signal = 'category_loss'
    where categories.lost_categories > 0
),

{# Who has bought nothing for a whole window is lost, not in danger. #}
raised as (
    select
        signals.*,
        cast(round(
            100 * rules.weight
            * least(1, greatest(signals.severity, 0) / rules.full_at)
        ) as integer) as strength,
        {{ to_money(
            'least(1, signals.exposed_share)'
            ~ ' * greatest(contributions.contribution_12m, 0)'
        ) }} as amount_at_risk
    from signals
    inner join rules
        on
            signals.signal = rules.signal
            and rules.weight > 0
    inner join customers on signals.customer_id = customers.customer_id
    inner join contributions on signals.customer_id = contributions.customer_id
    inner join policy on customers.last_sale_date > policy.window_start_date
)

select * from raised
